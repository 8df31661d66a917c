@main
enum TokenwardAgent {
    static func main() {}
}
