import { expect, it } from 'vitest';
import { failingSite } from '../../src/sites.ts';
import { usePages } from '../../src/use-pages.ts';

const visit = usePages<never>(failingSite)({ headers: {} });

// A rejection that nobody handles would fail the run beside the test.
it('fails a visit with the error of the page, also where it comes while the page loads', async ({ skip }) => {
  await expect(visit(skip)).rejects.toThrow('this page fails while it loads');
});
