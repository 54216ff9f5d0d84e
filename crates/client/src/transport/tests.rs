use std::net::TcpListener;

use super::*;

#[test]
fn a_server_that_dies_in_silence_is_noticed_by_the_system() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (inbox, _arrivals) = sync_channel(4);
    let mut transport = Transport::new(String::new(), inbox, false);
    transport
        .adopt(TcpStream::connect(listener.local_addr().expect("an address")).expect("connected"))
        .expect("adopted");
    let stream = &transport.connection.as_ref().expect("a connection").stream;
    let socket = socket2::SockRef::from(stream);
    assert!(socket.keepalive().expect("readable"));
    #[cfg(target_os = "linux")]
    {
        let (first, then) = (socket.tcp_keepalive_time(), socket.tcp_keepalive_interval());
        assert_eq!((first.expect("readable").as_secs(), then.expect("readable").as_secs()), (30, 15));
        assert_eq!(socket.tcp_user_timeout().expect("readable"), Some(Duration::from_secs(75)));
    }
}

#[test]
fn what_is_in_the_way_comes_with_what_to_do_about_it() {
    let mistyped = connect_to_any("no such host:1234").expect_err("no host");
    assert!(mistyped.contains("check the name") && !mistyped.contains("glassline serve"), "{mistyped}");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let closed = connect_to_any(&free.to_string()).expect_err("nobody there");
    assert!(closed.starts_with("nothing listens there; ") && closed.contains("glassline serve"), "{closed}");
}

#[test]
fn a_refusal_by_another_machine_names_the_option_that_opens_it() {
    let refused = io::Error::from(ErrorKind::ConnectionRefused);
    let told = |address: &str| advice(&refused, Some(address.parse().expect(address)));
    for here in ["127.0.0.1:1234", "[::1]:1234", "[::ffff:127.0.0.1]:1", "0.0.0.0:1234"] {
        assert!(told(here).contains("`glassline serve`") && !told(here).contains("--listen"), "{}", told(here));
    }
    for (there, option) in [("192.0.2.7:5000", "--listen 0.0.0.0:5000"), ("[2001:db8::1]:1234", "--listen [::]:1234")] {
        let told = told(there);
        assert!(told.contains(option) && told.contains("that machine only") && !told.contains("just run"), "{told}");
    }
    let slow = advice(&ErrorKind::TimedOut.into(), Some("192.0.2.7:1".parse().expect("an address")));
    assert!(slow.contains("check the address") && !slow.contains("--listen"), "{slow}");
}
