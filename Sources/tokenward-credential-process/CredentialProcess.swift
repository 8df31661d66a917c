@main
struct CredentialProcess {
    static func main() {}
}
