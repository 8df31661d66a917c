import Glibc

/// A NULL-terminated array of C strings, freed with its owner.
@safe package struct CStrings: ~Copyable {
    package let pointers: [UnsafeMutablePointer<CChar>?]

    package init(_ strings: [String]) { unsafe pointers = strings.map { unsafe strdup($0) } + [nil] }

    deinit { unsafe pointers.forEach { unsafe free($0) } }
}
