// Initiates the replica set if it is not. Fails, to be run again, while the server is not ready.
const password = encodeURIComponent(process.env.MONGODB_PASSWORD);
const admin = connect(`mongodb://root:${password}@mongodb:27017/admin?directConnection=true&serverSelectionTimeoutMS=5000`);
if (!admin.hello().setName) admin.runCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] } });
if (!admin.hello().setName) throw new Error("the replica set is not initiated yet");
