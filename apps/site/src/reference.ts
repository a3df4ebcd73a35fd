// The reference: Markdown by TypeDoc, a page for each entry point of each package, from the docstrings of the sources.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sourceAddress } from '@vastmax/package-tests/source-address';
import { Application, Converter, DeclarationReflection, ReflectionKind, TSConfigReader } from 'typedoc';
import { MarkdownPageEvent } from 'typedoc-plugin-markdown';
import { findEntryPoints, referenceFolder, root } from './pages.ts';

/** Options of typedoc-plugin-markdown. */
const format = {
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  hideGroupHeadings: true,
  useCodeBlocks: true,
  useCustomAnchors: true,
  pageTitleTemplates: { module: ({ name }: { readonly name: string }) => `@vastmax/${name}` },
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  enumMembersFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  expandParameters: true,
  tableColumnSettings: {
    hideDefaults: true,
    hideModifiers: true,
    hideSources: true,
    hideInherited: true,
    hideOverrides: true,
    leftAlignHeaders: true,
  },
} as const;

/**
 * What is only the kind of a part is no heading, so that the outline and the search have names; the rest says what the
 * signature has said.
 */
function shorten(markdown: string): string {
  const heading = (names: string): RegExp => new RegExp(`^#{3,} (${names})(?: \\{#.*\\})?$`, 'gm');
  return markdown
    .replace(/^#+ (?:Implementation of|Overrides|Inherited from)(?: \{#.*\})?\n\n.*\n\n?/gm, '')
    .replace(/^#+ (?:Properties|Methods|Accessors|Constructors)(?: \{#.*\})?\n\n/gm, '')
    .replace(/^#+ Returns(?: \{#.*\})?\n\n`(?:void|number|string|boolean)`\n\n(?=[#*])/gm, '')
    .replace(heading('Parameters|Returns|Throws|Type Parameters|Extends|Extended by|Implements'), '**$1**')
    .replace(heading('Implemented by|(?:Get|Set|Call) Signature|Type Declaration'), '**$1**')
    .replace(heading('Example|Default Value|See|Indexable'), '**$1**')
    .replace(/^Defined in: \[.*?([^/]+)\](\(.*\))$/gm, '[$1]$2{.source}')
    .replace(/^#### /gm, '### ')
    .replace(/^\*\*\*$/gm, '');
}

/** @throws Error with what TypeDoc complained about, where it wrote nothing */
export async function writeReference(): Promise<void> {
  const entryPoints = findEntryPoints();
  const app = await Application.bootstrapWithPlugins(
    {
      name: 'Reference',
      entryPoints: entryPoints.map(({ file }) => join(root, file)),
      basePath: root,
      tsconfig: join(root, 'apps/site/tsconfig.reference.json'),
      // `pnpm types` checks them.
      skipErrorChecking: true,
      plugin: ['typedoc-plugin-markdown'],
      readme: 'none',
      excludePrivate: true,
      excludeInternal: true,
      excludeExternals: true,
      disableGit: true,
      sourceLinkTemplate: `${sourceAddress()}packages/{path}#L{line}`,
      validation: false,
      logLevel: 'Error',
    },
    [new TSConfigReader()],
  );
  for (const [option, value] of Object.entries(format)) app.options.setValue(option, value);
  const names = new Map(entryPoints.map(({ name, file }) => [join(root, file), name]));
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const source = module instanceof DeclarationReflection ? module.sources?.[0]?.fullFileName : undefined;
      const name = source === undefined ? undefined : names.get(source);
      if (name !== undefined) module.name = name;
    }
  });
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    const readme = `${sourceAddress()}packages/${page.model.name.replace(/\/.*/, '')}`;
    const isModule = page.model instanceof DeclarationReflection;
    page.contents = shorten(page.contents ?? '').replace(
      /^# .*\n/,
      isModule ? `$&\n[What it is for, with examples](${readme})\n` : '$&',
    );
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the sources');
  rmSync(join(root, referenceFolder), { recursive: true, force: true });
  await app.outputs.writeOutput({ name: 'markdown', path: join(root, referenceFolder) }, project);
}
