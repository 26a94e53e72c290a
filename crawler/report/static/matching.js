// Functions that the scripts of the report share.

function isInSpan({from, until}, day) {
  // An article without a date is shown whatever the span is.
  return !day || ((!from || day >= from) && (!until || day <= until));
}

/** Whether a text in lower case has all words of another. */
function hasWords(text, words) {
  return words.split(/\s+/).every((word) => text.includes(word));
}

/** A number with separators of thousands. */
const formatted = (number) => number.toLocaleString("en");

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
