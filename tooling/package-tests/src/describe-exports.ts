// The public surface of a package as text: per entry point, each exported name with its declaration from the built
// .d.ts, without comments. A diff of this text in a review shows a change of the public surface. API Extractor was
// rejected: it needs a configuration per entry point and its own TypeScript; with the installed compiler thirty lines
// are enough.

import ts from 'typescript';
import type { PublishedPackage } from './published-packages.ts';

const printer = ts.createPrinter({ removeComments: true });

function print(declaration: ts.Declaration): string {
  // `const x: T` is declared inside a statement that carries the keyword.
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return printer
    .printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile())
    .replace(/^(?:export |declare )+/, '');
}

/**
 * Markdown with a section per entry point and a fenced declaration per exported name, sorted by name.
 *
 * @throws Error if a package is not built.
 */
export function describeExports({ name, entryPoints }: PublishedPackage): string {
  const program = ts.createProgram(
    entryPoints.map(({ declarations }) => declarations),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: [], noEmit: true },
  );
  const checker = program.getTypeChecker();
  const sections = entryPoints.map(({ specifier, declarations }) => {
    const file = program.getSourceFile(declarations);
    const module = file && checker.getSymbolAtLocation(file);
    if (module === undefined)
      throw new Error(`${specifier}: ${declarations} is missing or is not a module; run pnpm build`);
    const exports = checker.getExportsOfModule(module).map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return { name: symbol.name, text: (target.declarations ?? []).map(print).join('\n') };
    });
    exports.sort((a, b) => (a.name < b.name ? -1 : 1));
    return `## ${specifier}\n\n${exports.map((each) => `### ${each.name}\n\n\`\`\`ts\n${each.text}\n\`\`\`\n`).join('\n')}`;
  });
  return `# Exports of ${name}\n\nWritten by \`pnpm test -u\`; a change here is a change of the public surface.\n\n${sections.join('\n')}`;
}
