// The menus of the site.

import { sourceAddress } from '@vastmax/package-tests/source-address';
import type { DefaultTheme } from 'vitepress';
import { findEntryPoints, namesIn, titleOf } from './pages.ts';

type Item = DefaultTheme.SidebarItem;

const page = (text: string, link: string): Item => ({ text, link });

const start: Item[] = [
  page('One package', '/start/one-package'),
  page('A model of your own', '/start/own-model'),
  page('A backend of your own', '/start/own-backend'),
];

const guides: Item[] = [
  page('A language model', '/guides/language-model'),
  page('Labels of texts', '/guides/labels'),
  page('Recommendation', '/guides/recommendation'),
  page('Word vectors', '/guides/word-vectors'),
  page('Vectors of your own encoder', '/guides/own-vectors'),
  page('Coming from fastText', '/coming-from-fasttext'),
];

const understand: Item[] = [
  page('Which output layer', '/which-output-layer'),
  page('The mathematics', '/mathematics'),
  page('Exactness', '/exactness'),
  page('Performance', '/performance'),
  page('Experiments', '/experiments'),
];

const run: Item[] = [
  page('Backends', '/backends'),
  page('Writing a backend', '/writing-a-backend'),
  page('The GPU', '/gpu'),
  page('Many machines', '/many-machines'),
  page('What can be relied on', '/reliability'),
  page('The command', '/command'),
  page('The benchmarks', '/benchmarks'),
];

const examples: Item[] = [
  page('All examples', '/examples/'),
  ...[
    'own-body',
    'swap-layer',
    'own-loss',
    'labels',
    'own-vectors',
    'next-item',
    'word-vectors',
    'own-backend',
    'page',
  ].map((name) => page(titleOf(`examples/${name}/README.md`), `/examples/${name}`)),
];

const project: Item[] = [page('Decisions', '/decisions'), page('Contributing', '/contributing')];

const packages = (): Item[] => namesIn('packages').map((name) => page(name, `/packages/${name}`));

export function createNavigation(): Pick<DefaultTheme.Config, 'nav' | 'sidebar'> {
  const texts: Item[] = [
    { text: 'Start', items: start },
    { text: 'Guides', items: guides },
    { text: 'Understand', items: understand },
    { text: 'Run', items: run },
    { text: 'Examples', items: examples, collapsed: true },
    { text: 'Packages', items: packages(), collapsed: true },
    { text: 'Project', items: project, collapsed: true },
  ];
  return {
    nav: [
      { text: 'Start', link: '/start/one-package', activeMatch: '^/start/' },
      { text: 'Guides', link: '/guides/language-model', activeMatch: '^/guides/' },
      { text: 'Mathematics', link: '/mathematics' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      // A page of its own, not one of VitePress: `_self` lets the browser load it.
      { text: 'Playground', link: '/playground/index.html', target: '_self' },
      { text: 'GitHub', link: sourceAddress().replace(/\/blob\/.*/, '') },
    ],
    sidebar: {
      '/decisions': [
        {
          text: 'Decisions',
          link: '/decisions',
          items: namesIn('docs/decisions').map((file) =>
            page(titleOf(`docs/decisions/${file}`), `/decisions/${file.replace(/\.md$/, '')}`),
          ),
        },
      ],
      '/reference/': [
        {
          text: 'Reference',
          link: '/reference/',
          items: findEntryPoints().map(({ name }) => page(name, `/reference/${name}`)),
        },
      ],
      '/': texts,
    },
  };
}
