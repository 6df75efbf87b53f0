/**
 * Who may import whom. The rules of the layout hold because this fails, not because
 * people remember them: `pnpm depcruise`.
 *
 * Parsed with swc: dependency-cruiser's own TypeScript reader needs the API that
 * TypeScript 7 no longer has.
 */
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/** `dependsOn` of each module, from its table of contents, which is plain data. */
function dependenciesOf(name) {
  const source = readFileSync(join(__dirname, 'modules', name, 'module.ts'), 'utf8');
  const list = /dependsOn:\s*\[([^\]]*)\]/.exec(source)?.[1] ?? '';
  return [...list.matchAll(/['"]([\w-]+)['"]/g)].map(([, needed]) => needed);
}

const modules = readdirSync(join(__dirname, 'modules')).filter((name) =>
  existsSync(join(__dirname, 'modules', name, 'module.ts')),
);

const alwaysOn = modules.filter((name) =>
  /alwaysOn:\s*true/.test(readFileSync(join(__dirname, 'modules', name, 'module.ts'), 'utf8')),
);

const tests = '\\.test\\.tsx?$|(^|/)testing/';

/** What one module may use of another that it names under `dependsOn`. */
const doors = '/(module|config|schema)\\.ts$|\\.job\\.ts$';

/** The same, inside a module. As one pattern dependency-cruiser takes it for one that could run for ever. */
const testsIn = ['.*\\.test\\.tsx?$', 'testing/', '.*/testing/'];

/** What its tests may use besides. */
const testDoors = `${doors}|/testing/`;

const betweenModules = modules.flatMap((name) => {
  const rule = (suffix, from, open) => ({
    name: `${name}${suffix}`,
    comment: 'Modules never import modules, except through a door of one that `module.ts` names under `dependsOn`.',
    severity: 'error',
    from,
    to: {
      path: '^modules/[^/]+/',
      pathNot: [`^modules/${name}/`, ...dependenciesOf(name).map((needed) => `^modules/${needed}(${open})`)],
    },
  });
  return [
    rule('-imports-no-other-module', { path: `^modules/${name}/`, pathNot: tests }, doors),
    rule('-tests-import-no-other-module', { path: testsIn.map((place) => `^modules/${name}/${place}`) }, testDoors),
  ];
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-missing-files',
      comment: 'Except what Next brings along itself, and what a build writes beside serve.mjs.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: ['^server-only$', '^\\./server\\.js$', '^\\./dist/replica\\.mjs$'] },
    },
    {
      name: 'packages-stand-alone',
      comment: 'Packages are what modules and apps are built from: they know neither.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(modules|apps|scripts)/' },
    },
    {
      name: 'kernel-has-no-io',
      comment: 'The kernel is words: zod and a hash, nothing that opens anything.',
      severity: 'error',
      from: { path: '^packages/kernel/', pathNot: tests },
      to: { pathNot: ['^packages/kernel/', 'node_modules/zod/', '^(node:)?crypto$'] },
    },
    ...betweenModules,
    {
      name: 'modules-know-no-app',
      severity: 'error',
      from: { path: '^modules/' },
      to: { path: '^(apps|scripts)/' },
    },
    {
      name: 'apps-know-no-other-app',
      comment: 'The web app knows the API by its types.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-imports-no-server-code',
      comment:
        'What the browser half imports may end in the browser. Types vanish; anything else of the server must not be there.',
      severity: 'error',
      from: { path: '^(apps/web|modules/[^/]+/web|packages/ui)/', pathNot: tests },
      to: {
        path: '^(packages/(?!ui/)|modules/(?![^/]+/(web|messages)/)|apps/api/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-the-worker-loads-handlers',
      comment: 'A handler drags in what its work needs. The list of jobs loads it when the first such job runs.',
      severity: 'error',
      from: { pathNot: ['^apps/api/src/generated/jobs\\.ts$', tests] },
      to: { path: '\\.handler\\.ts$' },
    },
    {
      name: 'jobs-are-light',
      comment: 'Whoever enqueues imports the job: its name, payload and policy, and nothing else.',
      severity: 'error',
      from: { path: '\\.job\\.ts$' },
      to: { pathNot: ['^packages/kernel/', 'node_modules/zod/'] },
    },
    {
      name: 'schedules-are-light',
      comment: 'What comes round: a job, its payload and a cron expression.',
      severity: 'error',
      from: { path: '\\.schedule\\.ts$' },
      to: { pathNot: ['^packages/kernel/', '\\.job\\.ts$'] },
    },
    {
      name: 'routes-only-adapt',
      comment: 'Actions own the truth: routes hand over to them and touch no table.',
      severity: 'error',
      from: { path: '^modules/[^/]+/(routes|internal)\\.ts$' },
      to: { path: '^(packages/(db|jobs)/|modules/[^/]+/schema\\.ts$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-api-reaches-modules-through-generated-code',
      comment: 'So that a module that is off is absent. Identity is always on and has a door of its own.',
      severity: 'error',
      from: { path: '^apps/api/src/', pathNot: ['^apps/api/src/generated/', tests] },
      to: { path: '^modules/', pathNot: ['^modules/context\\.ts$', '^modules/accounts/(config|auth/open-auth)\\.ts$'] },
    },
    {
      name: 'the-shell-names-no-optional-module',
      comment: 'The hand-written web app works without it: pages and menu entries come from the generated files.',
      severity: 'error',
      from: {
        path: '^apps/web/',
        pathNot: ['^apps/web/src/generated/', '^apps/web/src/app/\\(app\\)/\\(modules\\)/', tests],
      },
      to: { path: '^modules/', pathNot: alwaysOn.map((name) => `^modules/${name}/`) },
    },
    {
      name: 'no-tests-in-production-code',
      severity: 'error',
      from: { path: '^(apps|packages|modules)/', pathNot: [tests, '^packages/test-kit/', '^tests/'] },
      to: { path: [tests, '^packages/test-kit/'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.next|\\.ballast)/|\\.json$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.d.ts'],
    },
    progress: { type: 'none' },
  },
};
