// Starts arlocal on loopback: its own command line always listens on every address.
// Arguments: port, folder for its database (made if missing). Any signal ends it at once; its own stop() would drop the tables.
const { createServer } = require("node:http");
const ArLocal = require("arlocal").default;

const [port, folder] = process.argv.slice(2);
const arlocal = new ArLocal(Number(port), true, folder, true);
arlocal.app.listen = (listenPort, listening) => createServer(arlocal.app.callback()).listen(listenPort, "127.0.0.1", listening);
arlocal.start();
