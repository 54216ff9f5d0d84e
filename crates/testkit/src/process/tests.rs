use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_process_is_written_to_read_and_waited_for() {
    let mut process = Process::start(shell("read word; echo got $word; echo late; echo wrong >&2; exit 3"));
    process.say("this");
    assert_eq!(process.line(), "got this");
    let ended = process.ended();
    assert_eq!((ended.code, &ended.stdout[..], &ended.stderr[..]), (Some(3), &["late".to_owned()][..], "wrong\n"));
}

#[test]
fn a_group_ends_with_its_value() {
    let process = Process::start(shell("sleep 600 & echo $!; wait"));
    let child: u32 = process.line().parse().expect("an id");
    drop(process);
    let is_running = || shell(&format!("kill -0 {child} 2>&-")).status().expect("a shell").success();
    // The adopting process has to reap it.
    let is_gone = || {
        !is_running() || std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    };
    assert!(
        (0..1_000).any(|_| is_gone() || {
            thread::sleep(Duration::from_millis(5));
            false
        }),
        "{child} still runs"
    );
}
