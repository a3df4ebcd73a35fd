/**
 * Exports without a docstring, of which the reference (`pnpm site`) would say nothing but the type. `pnpm docstrings`
 * lists them and fails. Entry points are followed to the declarations by their names alone: that takes a few seconds,
 * where a program with types takes half a minute.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { findPublishedPackages, root } from './published-packages.ts';

/** The places of the exports of some modules that have no docstring: `packages/a/src/b.ts:12: name`. */
export function findDocstringGaps(entryFiles: readonly string[]): string[] {
  const parsed = new Map<string, ts.SourceFile>();
  const parse = (file: string): ts.SourceFile => {
    let source = parsed.get(file);
    if (source === undefined) {
      source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
      parsed.set(file, source);
    }
    return source;
  };

  const gaps = new Set<string>();
  const checkDeclaration = (name: string, declaration: ts.Node): void => {
    if (ts.getJSDocCommentsAndTags(declaration).length > 0) return;
    const source = declaration.getSourceFile();
    const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
    gaps.add(`${relative(root, source.fileName)}:${line + 1}: ${name}`);
  };

  /** Follows `name` of a module to where it is declared; names of other packages are checked there. */
  const checkName = (file: string, name: string): void => {
    const { statements } = parse(file);
    const overloads = statements.filter((statement) => declaredNames(statement).includes(name));
    const [declaration] = overloads;
    if (declaration !== undefined) {
      checkDeclaration(name, overloads.find((each) => ts.getJSDocCommentsAndTags(each).length > 0) ?? declaration);
      return;
    }
    for (const statement of statements) {
      const bindings =
        ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement) ? namedBindings(statement) : undefined;
      const found = bindings?.names.find((each) => each.local === name);
      if (bindings === undefined || found === undefined) continue;
      if (bindings.from.startsWith('.')) checkName(resolve(dirname(file), bindings.from), found.original);
      return;
    }
    throw new Error(`${relative(root, file)}: where ${name} is declared was not found`);
  };

  for (const file of entryFiles) {
    for (const statement of parse(file).statements) {
      if (ts.isExportDeclaration(statement)) {
        if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause))
          throw new Error(`${relative(root, file)}: entry points name what they export`);
        for (const { name, propertyName } of statement.exportClause.elements)
          checkName(file, statement.moduleSpecifier === undefined ? (propertyName ?? name).text : name.text);
      } else if (isExported(statement)) {
        for (const name of declaredNames(statement)) checkName(file, name);
      }
    }
  }
  return [...gaps];
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}

interface Bindings {
  readonly from: string;
  readonly names: readonly { readonly local: string; readonly original: string }[];
}

function namedBindings(statement: ts.ImportDeclaration | ts.ExportDeclaration): Bindings | undefined {
  const { moduleSpecifier } = statement;
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return undefined;
  const clause = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
  if (clause === undefined || !(ts.isNamedImports(clause) || ts.isNamedExports(clause))) return undefined;
  const names = clause.elements.map(({ name, propertyName }) => ({
    local: name.text,
    original: (propertyName ?? name).text,
  }));
  return { from: moduleSpecifier.text, names };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const entryFiles = findPublishedPackages().flatMap(({ folder, entryPoints }) =>
    entryPoints.map(({ source }) => join(folder, source)),
  );
  const gaps = findDocstringGaps(entryFiles);
  if (gaps.length > 0) {
    process.stderr.write(`${gaps.join('\n')}\n${gaps.length} exports have no docstring\n`);
    process.exitCode = 1;
  }
}
