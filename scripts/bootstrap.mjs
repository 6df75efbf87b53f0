// The door of `npm start`, `npm test` and `npm run dev`, on whatever Node the machine has.
// Nothing is imported before the version is known: an old Node would fail on the imports.
const [major] = process.versions.node.split('.').map(Number);

if (major < 20) {
  console.error(
    `Ballast needs Node 20 or newer to start; this is Node ${process.versions.node}. Install it from https://nodejs.org.`,
  );
  process.exit(1);
} else {
  import('./bootstrap/run.mjs').then((door) => door.run(process.argv[2], process.argv.slice(3)));
}
