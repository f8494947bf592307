// Starts arlocal on loopback, or on the address given: its own command line always listens on every one.
// Arguments: port, folder for its database (made if missing), address. Any signal ends it at once; its own stop() would drop the tables.
const { createServer } = require("node:http");
const Module = require("node:module");

const load = Module._load;
Module._load = (request, ...others) => (request === "sqlite3" ? require("./sqlite.cjs") : load(request, ...others));

const ArLocal = require("arlocal").default;

const [port, folder, address = "127.0.0.1"] = process.argv.slice(2);
const arlocal = new ArLocal(Number(port), true, folder, true);
arlocal.app.listen = (listenPort, listening) => createServer(arlocal.app.callback()).listen(listenPort, address, listening);
arlocal.start();
