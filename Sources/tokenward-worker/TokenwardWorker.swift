@main
enum TokenwardWorker {
    static func main() {}
}
