import Files

/// An absolute path followed link by link. A user who may change one of `folders` decides where it leads.
struct PathTrail: Hashable, Sendable {
    /// Where it leads. Names that do not exist stand for themselves.
    let target: String
    /// Every folder in which one of its names, or of its links' names, is looked up.
    let folders: Set<String>

    /// - Parameter file: What says the path; the way there is a part of this one.
    /// - Returns: Nil for a relative path, and for one with more links than Linux follows (path_resolution(7)).
    init?(_ path: String, after file: PathTrail? = nil) {
        guard path.hasPrefix("/") else { return nil }
        var rest: [Substring] = path.split(separator: "/").reversed()
        var place = ""  // the root
        var folders = file?.folders ?? []
        var links = 0
        while let name = rest.popLast() {
            folders.insert(place.isEmpty ? "/" : place)
            switch name {
            case ".": continue
            case "..": place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
            default:
                guard let link = Self.link("\(place)/\(name)") else {
                    place += "/\(name)"
                    continue
                }
                links += 1
                guard links <= 40 else { return nil }
                if link.hasPrefix("/") { place = "" }
                rest += link.split(separator: "/").reversed()
            }
        }
        target = place.isEmpty ? "/" : place
        self.folders = folders
    }

    private static func link(_ path: String) -> String? {
        (try? FileName.target(ofLink: path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
