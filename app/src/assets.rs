//! The built files that pages are made of.

/// The addresses of the built files. Their names carry a hash of their content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// The hash of all of them: which build this is.
    pub build: String,
    /// The JavaScript that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
    /// The styles.
    pub css: String,
    /// Which pieces of WASM belong to which page.
    pub pieces: leptos::WasmSplitManifest,
}
