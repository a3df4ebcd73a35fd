import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { createImportDirectionConfig } from './tooling/import-direction/src/eslint-config.js';

export default defineConfig(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/.turbo/**',
      '**/coverage/**',
      '**/.readme-examples/**',
      '**/.vitepress/{cache,.temp}/**',
    ],
  },
  { linterOptions: { noInlineConfig: true } },
  {
    files: ['**/*.{js,ts}'],
    extends: [tseslint.configs.strict],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-duplicate-imports': ['error', { includeExports: false }],
      // `x[i]!` is how a loop reads a typed array under noUncheckedIndexedAccess; every other `!` hides a case.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSNonNullExpression:not([expression.type="MemberExpression"][expression.computed=true])',
          message: 'A non-null assertion is allowed on an indexed access only; handle the missing case.',
        },
      ],
    },
  },
  // Libraries never log; a progress event or a returned value says what happened.
  { files: ['packages/*/src/**/*.ts'], rules: { 'no-console': 'error' } },
  createImportDirectionConfig(),
);
