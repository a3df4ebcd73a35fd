/** A value out of a file for an error message: short, and never nested, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (Array.isArray(value)) {
    const first = value
      .slice(0, 6)
      .map((each: unknown) => (typeof each === 'object' && each !== null ? '...' : shown(each)));
    return `[${first.join(', ')}${value.length > 6 ? ', ...' : ''}]`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
