// Starts the emulator on loopback without TLS. Arguments: path of its lib/index.js, port. It keeps everything in memory.
const [main, port] = process.argv.slice(2);
require(main).createHttpServer({ keepAlive: true }).listen(Number(port), "127.0.0.1");
