// A long text in pieces between which there is always a word boundary. Intl.Segmenter of V8 takes time with the square
// of the length (measured: 145,000 words a second in lines of 80 characters, 940 in one of 80,000), so it is given a
// piece at a time.
//
// A piece ends behind white space or an ideographic full stop, before a letter or digit that does not extend what is
// before it (UAX #29, WB4): no rule of UAX #29 joins across that, and no dictionary word of a script without spaces has
// it inside.

const SAFE_CUT = /(?<=[\p{White_Space}。！？])(?=[\p{L}\p{N}])(?!\p{Grapheme_Extend})/gu;

/** Pieces of `least` characters or more, but for the last; the text as it is where there is no place to cut. */
export function* segmentPieces(text: string, least: number): Generator<string, void, undefined> {
  let start = 0;
  while (text.length - start > least) {
    SAFE_CUT.lastIndex = start + least;
    const cut = SAFE_CUT.exec(text)?.index ?? text.length;
    yield text.slice(start, cut);
    start = cut;
  }
  if (start < text.length) yield text.slice(start);
}
