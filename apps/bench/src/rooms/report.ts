/** The tables of `bench rooms`. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { type RoomName, roomNames, type RoomsReport } from './measure.ts';

export type RoomCounts = Readonly<Record<RoomName, number>>;

/** What --json prints. */
export function roomCounts(report: RoomsReport): RoomCounts {
  return Object.fromEntries(roomNames.map((name) => [name, report[name].length])) as Record<RoomName, number>;
}

export function roomsTables(report: RoomsReport): string {
  const packages = [...new Set(roomNames.flatMap((name) => report[name].map(packageOf)))].sort();
  const countOf = (name: RoomName, folder: string): number =>
    report[name].filter((path) => packageOf(path) === folder).length;
  return [
    'Source files that run a function in one minibatch, and in a whole command:',
    markdownTable(
      ['', ...roomNames],
      [
        ...packages.map((folder) => [folder, ...roomNames.map((name) => String(countOf(name, folder)))]),
        ['all', ...roomNames.map((name) => String(report[name].length))],
      ],
    ),
  ].join('\n\n');
}

/** Each file, by package. */
export function roomsFiles(report: RoomsReport): string {
  return roomNames
    .map((name) => {
      const files = report[name];
      const packages = [...new Set(files.map(packageOf))];
      return [
        `${name}: ${files.length} files`,
        ...packages.flatMap((folder) => {
          const own = files.filter((path) => packageOf(path) === folder);
          return [`  ${folder}: ${own.length}`, ...own.map((path) => `    ${path.slice(folder.length + 1)}`)];
        }),
      ].join('\n');
    })
    .join('\n\n');
}

const packageOf = (path: string): string => path.split('/').slice(0, 2).join('/');
