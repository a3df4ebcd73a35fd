// A page that throws an uncaught error while it loads.

throw new Error('this page fails while it loads');
