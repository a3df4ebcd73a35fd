// A page with an error that nobody catches, before it has loaded.

throw new Error('this page fails while it loads');
