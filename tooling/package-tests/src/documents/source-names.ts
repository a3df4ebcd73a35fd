// Collects all names of the sources, to compare documents with them: identifiers and words of strings from the syntax
// trees (names in comments do not count), and the exports of each entry point.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

export interface SourceNames {
  /** Names of variables, functions, types, members and options. */
  readonly identifiers: ReadonlySet<string>;
  /** Words of string literals: environment variables, error codes, names of kernels. */
  readonly words: ReadonlySet<string>;
  /** `--option`s in strings of the apps and of the packages' scripts and labs, without `<value>`. */
  readonly options: ReadonlySet<string>;
  /** The first word of each of these strings; they include the commands. */
  readonly firstWords: ReadonlySet<string>;
  /** Exported names by specifier, such as `@vastmax/sparse-data/node`. */
  readonly exports: ReadonlyMap<string, ReadonlySet<string>>;
  /** All files of packages, apps, tooling and docs, from the root, with forward slashes. */
  readonly files: readonly string[];
}

const skippedFolders = new Set(['node_modules', 'dist', 'generated', 'coverage', '.turbo', '.readme-examples']);

/** Reads the whole repository; takes some seconds. */
export function readSourceNames(root: string): SourceNames {
  const files = ['packages', 'apps', 'tooling', 'docs'].flatMap((folder) => listFiles(root, folder));
  const identifiers = new Set<string>();
  const words = new Set<string>();
  const options = new Set<string>();
  const firstWords = new Set<string>();
  for (const file of files) {
    if (!/\.(?:ts|js|mjs)$/.test(file) || !/^[^/]+\/[^/]+\/(?:src|assembly|corpora|lab|scripts)\//.test(file)) continue;
    const isTool = file.startsWith('apps/') || /\/(?:lab|scripts)\//.test(file);
    visit(parse(join(root, file)), (node) => {
      if (ts.isIdentifier(node)) identifiers.add(node.text);
      else if (isTool && isParsedOption(node)) options.add(`--${node.name.text}`);
      else if (ts.isStringLiteralLike(node) || isTemplatePart(node)) {
        for (const [word] of node.text.matchAll(/[A-Za-z_$][\w$]*/g)) words.add(word);
        if (!isTool) return;
        firstWords.add(/^\S*/.exec(node.text)?.[0] ?? '');
        for (const [option] of node.text.matchAll(/(?<![\w-])--[a-z][\w-]*/g)) options.add(option);
      }
    });
  }
  return { identifiers, words, options, firstWords, exports: readExports(root), files };
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : listFiles(root, path);
    return [path];
  });
}

function readExports(root: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const name of readdirSync(join(root, 'packages'))) {
    const manifest = join(root, 'packages', name, 'package.json');
    if (!existsSync(manifest)) continue;
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
    };
    for (const [path, conditions] of Object.entries(exports)) {
      const source = typeof conditions === 'string' ? undefined : conditions['@vastmax/source'];
      if (source !== undefined)
        found.set(`@vastmax/${name}${path.slice(1)}`, exportsOf(join(dirname(manifest), source)));
    }
  }
  return found;
}

/** Names of `export { … }`, `export *` and exported declarations of a file. */
function exportsOf(file: string): Set<string> {
  const names = new Set<string>();
  for (const statement of parse(file).statements) {
    if (ts.isExportDeclaration(statement)) {
      if (statement.exportClause === undefined && statement.moduleSpecifier !== undefined) {
        const { text } = statement.moduleSpecifier as ts.StringLiteral;
        if (text.startsWith('.')) for (const name of exportsOf(join(dirname(file), text))) names.add(name);
      } else if (statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause))
        for (const { name } of statement.exportClause.elements) names.add(name.text);
    } else if (
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
    )
      for (const name of declaredNames(statement)) names.add(name);
  }
  return names;
}

/** Names that a statement declares in its own scope. */
function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  const { name } = statement as ts.DeclarationStatement;
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
}

export function parse(file: string, text: string = readFileSync(file, 'utf8')): ts.SourceFile {
  return ts.createSourceFile(file, text, {
    languageVersion: ts.ScriptTarget.ES2023,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
}

export function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node);
  ts.forEachChild(node, (child) => {
    visit(child, each);
  });
}

/** `json: { type: 'boolean' }`, as in the options of Node's parseArgs. */
function isParsedOption(node: ts.Node): node is ts.PropertyAssignment & { readonly name: ts.Identifier } {
  if (!ts.isPropertyAssignment(node) || !ts.isObjectLiteralExpression(node.initializer)) return false;
  const [first] = node.initializer.properties;
  return ts.isIdentifier(node.name) && first?.name !== undefined && (first.name as ts.Identifier).text === 'type';
}

function isTemplatePart(node: ts.Node): node is ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail {
  return ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
}
