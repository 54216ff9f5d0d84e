//! Layers of new connections: plain TCP has none.

use glassline_wire::layer::LayerStack;

/// Returns the layers of a connection that was just accepted.
pub(crate) fn of_new_connection() -> LayerStack {
    #[cfg(feature = "test-layer")]
    if std::env::var_os("GLASSLINE_TEST_LAYER").is_some_and(|value| value == "1") {
        return LayerStack::new(vec![Box::new(glassline_wire::layer::test_layer::TestLayer::server())]);
    }
    LayerStack::default()
}
