// Finds errors in a document: names, options, paths and packages that do not exist in the repository, imports of names
// that are not exported, and broken links. Only words that look like names are checked, so that prose in a code span
// passes: words with an inner capital (`hiddenGradient`, `OutputLayer`), calls (`step()`), members (`layer.verify`).

import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { externalNames, externalOptions } from './external-names.ts';
import { anchorsOf, parseMarkdown, type CodeBlock, type MarkdownParts } from './markdown.ts';
import { sourceAddress } from '../package-metadata.ts';
import { parse, visit, type SourceNames } from './source-names.ts';

export interface DocumentInputs {
  readonly root: string;
  /** Path of the document, relative to the root. */
  readonly path: string;
  readonly markdown: string;
  readonly names: SourceNames;
  /** Reads the Markdown of another document, for its anchors. */
  readonly read: (path: string) => string;
}

type Report = (line: number, problem: string) => void;

const fileEndings =
  'ts|js|mjs|cjs|json|md|yaml|toml|wgsl|svg|html|txt|tokens|parquet|npy|csv|so|dylib|dll|gz|safetensors|sh';
const commands = /^(?:npx|npm|pnpm|node|vastmax|bench|mpirun|mpiexec\S*|srun|apt-get|dnf|brew|sudo|git|export)\b/;

/** Problems of names, options, paths, packages, imports and links. @returns `docs/gpu.md:12: …` for each. */
export function findProblems(inputs: DocumentInputs): string[] {
  const { problems, report } = collect(inputs.path);
  const parts = parseMarkdown(inputs.markdown);
  const names = withNamesOf(parts.blocks, inputs.names);
  for (const { line, text } of parts.spans) checkSpan(text, names, (problem) => report(line, problem));
  for (const { line, text } of parts.prose) checkPaths(text, inputs, (problem) => report(line, problem));
  for (const block of parts.blocks) checkBlock(block, names, report);
  checkLinks(parts, inputs, report);
  return problems;
}

/** Problems of links only, for decision records, which keep the names of their time. */
export function findLinkProblems(inputs: DocumentInputs): string[] {
  const { problems, report } = collect(inputs.path);
  checkLinks(parseMarkdown(inputs.markdown), inputs, report);
  return problems;
}

function collect(path: string): { problems: string[]; report: Report } {
  const problems: string[] = [];
  return {
    problems,
    report: (line, problem) => {
      const text = `${path}:${line}: ${problem}`;
      if (!problems.includes(text)) problems.push(text);
    },
  };
}

function checkSpan(span: string, names: SourceNames, report: (problem: string) => void): void {
  const text = span.replace(/'[^']*'|"[^"]*"/g, "''");
  checkCommand(text, names, report);
  checkPackages(text, names, report);
  if (commands.test(text)) return;
  for (const match of text
    .replace(/@[\w-]+\/[\w./-]+/g, '@')
    .matchAll(/(?<![\w$.…/-])[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*/g)) {
    const [chain] = match;
    const after = match.input.slice(match.index + chain.length);
    if (/^[…/*-]/.test(after)) continue;
    if (new RegExp(`\\.(?:${fileEndings})$`).test(chain)) continue;
    const isCall = /^(?:<[^>]*>)?\(/.test(after);
    const parts = chain.split('.');
    parts.forEach((part, i) => {
      const isJudged = i > 0 || isNameLike(part) || (isCall && parts.length === 1);
      if (isJudged && part.length > 1 && !isKnown(part, names))
        report(`\`${part}\` is not a name in the sources (\`${span}\`)`);
    });
  }
}

/** An inner capital letter, or a capital followed by lower-case letters, or an environment variable. */
function isNameLike(word: string): boolean {
  return /[a-z0-9][A-Z]/.test(word) || /^[A-Z][a-z]\w*$/.test(word) || /^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(word);
}

function isKnown(word: string, { identifiers, words }: SourceNames): boolean {
  return identifiers.has(word) || externalNames.has(word) || (/^[A-Z0-9_]+$/.test(word) && words.has(word));
}

/** Options, and the command after `vastmax` or `bench`. */
function checkCommand(text: string, names: SourceNames, report: (problem: string) => void): void {
  for (const [option] of text.matchAll(/(?<![\w-])--[a-z][\w-]*/g)) {
    if (!names.options.has(option) && !externalOptions.has(option)) report(`no app has the option ${option}`);
  }
  for (const [, tool, command = ''] of text.matchAll(/(?<![\w/-])(vastmax|bench) ([a-z][a-z-]*)(?=\s|$)/g)) {
    if (!names.firstWords.has(command)) report(`${tool} has no command ${command}`);
  }
}

function checkPackages(text: string, { exports, files }: SourceNames, report: (problem: string) => void): void {
  for (const [specifier] of text.matchAll(/@vastmax\/[\w-]+(?:\/[\w-]+)*/g)) {
    if (specifier === '@vastmax/source' || exports.has(specifier)) continue;
    const folder = specifier.slice('@vastmax/'.length);
    const isPrivate = ['apps', 'tooling'].some((group) => files.includes(`${group}/${folder}/package.json`));
    if (!isPrivate) report(`there is no package or entry point ${specifier}`);
  }
}

/** Paths from the root or from the document's folder, and names of source files, in spans and prose alike. */
function checkPaths(text: string, { root, path, names }: DocumentInputs, report: (problem: string) => void): void {
  const withoutTargets = text.replace(/\]\([^)]*\)/g, ']').replace(/https?:\S+/g, '');
  for (const [written] of withoutTargets.matchAll(/(?<![\w./@…-])(?:[\w.-]+\/)*[\w.-]*\w(?![\w…*{<])/g)) {
    const isPath = /^(?:packages|apps|tooling|docs)\/[\w-]/.test(written);
    const isSource = /\w\.(?:ts|mjs|wgsl)$/.test(written) && !written.endsWith('.d.ts');
    if (!isPath && !isSource) continue;
    const candidates = [written, normalize(join(dirname(path), written))];
    if (candidates.some((candidate) => existsSync(join(root, candidate)))) continue;
    if (isSource && names.files.some((file) => file.endsWith(`/${written}`))) continue;
    if (externalNames.has(written) || written.includes('NNNN')) continue;
    // `docs/decisions/0001` names a decision by its number.
    if (names.files.some((file) => /\/\d{4}$/.test(written) && file.startsWith(`${written}-`))) continue;
    report(`there is no file ${written}`);
  }
}

/** Adds the names that the programs of a document declare; the whole document may use them. */
function withNamesOf(blocks: readonly CodeBlock[], names: SourceNames): SourceNames {
  const identifiers = new Set(names.identifiers);
  for (const { text } of blocks.filter(isProgram)) {
    visit(parse('example.ts', text), (node) => {
      const { name } = node as { readonly name?: ts.Node };
      const isDeclared = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
      const isNamed = ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
      const isMember = ts.isMethodDeclaration(node) || ts.isPropertyDeclaration(node);
      if ((isDeclared || isNamed || isMember) && name !== undefined && ts.isIdentifier(name))
        identifiers.add(name.text);
    });
  }
  return { ...names, identifiers };
}

function isProgram({ language }: CodeBlock): boolean {
  return /^(?:ts|typescript|js|javascript)$/.test(language);
}

function checkBlock(block: CodeBlock, names: SourceNames, report: Report): void {
  const { line: first, text } = block;
  if (isProgram(block)) {
    checkProgram(text, names, (offset, problem) =>
      report(first + text.slice(0, offset).split('\n').length - 1, problem),
    );
    return;
  }
  text.split('\n').forEach((line, i) => {
    checkPackages(line, names, (problem) => report(first + i, problem));
    const [own] = /(?<![\w/-])(?:vastmax|bench) .*/.exec(line.replace(/\s#\s.*$/, '')) ?? [''];
    checkCommand(own, names, (problem) => report(first + i, problem));
  });
}

/** Imports from this repository, and names that neither the program nor the sources declare. */
function checkProgram(text: string, names: SourceNames, report: (offset: number, problem: string) => void): void {
  const program = parse('example.ts', text);
  const imported = new Set<string>();
  for (const statement of program.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const { text: specifier } = statement.moduleSpecifier as ts.StringLiteral;
    const bindings = statement.importClause?.namedBindings;
    const elements = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
    for (const { name, propertyName } of elements) {
      imported.add(name.text);
      const exported = names.exports.get(specifier);
      const wanted = (propertyName ?? name).text;
      if (specifier.startsWith('@vastmax/') && exported?.has(wanted) === false)
        report(statement.getStart(program), `${specifier} does not export ${wanted}`);
    }
    if (specifier.startsWith('@vastmax/') && !names.exports.has(specifier))
      report(statement.getStart(program), `there is no package or entry point ${specifier}`);
  }
  visit(program, (node) => {
    if (!ts.isIdentifier(node) || !isNameLike(node.text) || imported.has(node.text)) return;
    if (!isKnown(node.text, names)) report(node.getStart(program), `\`${node.text}\` is not a name in the sources`);
  });
}

function checkLinks({ links, headings }: MarkdownParts, { root, path, read }: DocumentInputs, report: Report): void {
  const address = sourceAddress();
  for (const { line, target } of links) {
    const isOfRepository = target.startsWith(address);
    if (/^[a-z]+:/.test(target) && !isOfRepository) continue;
    const [file = '', anchor] = (isOfRepository ? target.slice(address.length) : target).split('#');
    const folder = isOfRepository ? '.' : dirname(path);
    const linked = file === '' ? path : normalize(join(folder, decodeURIComponent(file)));
    if (file !== '' && (linked.startsWith('..') || !existsSync(join(root, linked)))) {
      report(line, `the link to ${target} is broken: there is no such file`);
      continue;
    }
    if (anchor === undefined) continue;
    const anchors = anchorsOf(file === '' ? headings : parseMarkdown(read(linked)).headings);
    if (!anchors.has(decodeURIComponent(anchor))) report(line, `${linked} has no heading #${anchor}`);
  }
}
