@main
enum RolesanywhereEmulator {
    static func main() {}
}
