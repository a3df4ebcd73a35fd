/**
 * No file imports itself by way of others, be it for a type only. @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'no-import-cycles',
      comment: 'Move what both files need to a third one, or join the two.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    includeOnly: '^(packages|apps|tooling)/[^/]+/(src|lab|test)/',
    exclude: '(^|/)(dist|node_modules|generated)/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['@vastmax/source', 'import', 'default'],
      exportsFields: ['exports'],
    },
  },
};
