// On a page that doesn't come to life, as all with passwords. `words` stand before this, in the reader's
// language: first those of a button that hides, then those of one that shows.

// Lets people see the password that they type. Sent off, it is hidden again, so that no browser takes
// it for another text.
for (const button of document.querySelectorAll('.control button')) {
  const field = document.getElementById(button.getAttribute('aria-controls'));
  const show = (shown) => {
    field.type = shown ? 'text' : 'password';
    const [word, label] = words[shown ? 0 : 1];
    button.textContent = word;
    button.setAttribute('aria-label', label);
  };
  button.hidden = false;
  button.onclick = () => show(field.type == 'password');
  field.form.addEventListener('submit', () => show(false));
}

// Buttons that only a script makes work, and words for browsers that run none.
for (const button of document.querySelectorAll('[data-copy]')) {
  const { copy, copied } = button.dataset;
  button.hidden = !navigator.clipboard;
  button.onclick = () => navigator.clipboard.writeText(copy).then(() => (button.textContent = copied));
}
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.onclick = () => print();
}
for (const words of document.querySelectorAll('.without-script')) words.hidden = true;

// Sends a form once, however often it is clicked within ten seconds, or until the browser comes back to
// the page.
addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  const { target, submitter } = event;
  if (target.ariaBusy) return event.preventDefault();
  const mark = (busy) => [target, submitter].forEach((one) => one && (one.ariaBusy = busy));
  mark('true');
  const free = () => mark(null);
  setTimeout(free, 10000);
  addEventListener('pageshow', free, { once: true });
});
