/// Why a text is not the TOML that a configuration is written in.
package struct TOMLFault: Error {
    /// Counted from 1.
    package let line: Int
    /// What is wrong; what to do. It repeats keys, never values: one of them may be a PIN in the wrong place.
    package let message: String
}
