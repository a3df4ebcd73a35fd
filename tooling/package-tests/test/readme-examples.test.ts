import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPublishedPackages, root } from '../src/published-packages.ts';
import {
  bundleExamples,
  describePlace,
  readExamples,
  runExample,
  typeCheckExamples,
  writeExamples,
} from '../src/readme-examples.ts';

// Inside this package, whose dependencies are all the others: that is what the examples' imports resolve from.
const folder = resolve(import.meta.dirname, '../.readme-examples');
const workingFolder = mkdtempSync(join(tmpdir(), 'vastmax-readme-'));
const packages = findPublishedPackages();
const readmes = [root, ...packages.map((each) => each.folder)]
  .map((path) => join(path, 'README.md'))
  .filter((path) => existsSync(path));
const files = writeExamples(join(folder, 'published'), readmes.flatMap(readExamples));
const typeErrors = typeCheckExamples(files);
bundleExamples(files);

afterAll(() => {
  rmSync(workingFolder, { recursive: true });
});

it.each(packages.map((each) => [each.name, each.folder] as const))(
  'the README of %s has an example',
  (_, packageFolder) => {
    expect(readExamples(join(packageFolder, 'README.md'))).not.toEqual([]);
  },
);

it.each(
  readmes
    .map((path) => [relative(root, path), readFileSync(path, 'utf8')] as const)
    .filter(([, text]) => /^(?:await )?using /m.test(text)),
)('%s says which Node runs `using`, and what to write for others', (_, text) => {
  expect(text).toContain('Node 24 runs it');
  expect(text).toMatch(/`(?:await )?\w+\[Symbol\.(?:d|asyncD)ispose\]\(\)`/);
});

describe.each([...files].map(([example, file]) => [describePlace(example), example, file] as const))(
  '%s',
  (_, example, file) => {
    it('type-checks', () => {
      expect(typeErrors.get(example)).toEqual([]);
    });

    it('runs', () => {
      expect(runExample(example, file, workingFolder)).toBeUndefined();
    });
  },
);

describe('an example that is wrong', () => {
  const markdown = join(workingFolder, 'README.md');

  function check(code: string): { typeErrors: string[]; failure: string | undefined } {
    writeFileSync(markdown, `# A package\n\n\`\`\`sh\nnpm i\n\`\`\`\n\n\`\`\`ts\n${code}\n\`\`\`\n`);
    const written = writeExamples(join(folder, 'wrong'), readExamples(markdown));
    bundleExamples(written);
    const [[example, file] = expect.fail('no example was found')] = written;
    return {
      typeErrors: typeCheckExamples(written).get(example) ?? [],
      failure: runExample(example, file, workingFolder),
    };
  }

  it('is named with the line of its type error', () => {
    const { typeErrors: errors, failure } = check(`const answer: number = 1;\nexport const text: string = answer;`);
    expect(errors).toEqual([expect.stringMatching(/README\.md:9: Type 'number' is not assignable to type 'string'/)]);
    expect(failure).toBeUndefined();
  });

  it('is named with the line that throws', () => {
    const { typeErrors: errors, failure } = check(
      `const answer: number = 1;\nif (answer === 1) throw new RangeError('too small');`,
    );
    expect(errors).toEqual([]);
    expect(failure).toMatch(/README\.md:8 ended with exit code 1/);
    expect(failure).toMatch(/-8\.ts:9/);
  });

  it('is run as a test file when it describes a suite', () => {
    const suite = (expected: number): string =>
      `import { describe, expect, it } from 'vitest';\ndescribe('sum', () => {\n  it('adds', () => expect(1 + 1).toBe(${expected}));\n});`;
    expect(check(suite(2))).toEqual({ typeErrors: [], failure: undefined });
    expect(check(suite(3)).failure).toMatch(/expected 2 to be 3/);
  });
});
