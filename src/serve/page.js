
'use strict';
(() => {
  const find = (id) => document.getElementById(id);

  // A page with something to wait for loads itself again when that has changed.
  const { poll, known } = document.body.dataset;
  if (poll) {
    let lost = 0;
    const ask = async () => {
      try {
        const answer = await fetch(poll, { cache: 'no-store' });
        if (!document.body.dataset.busy && (!answer.ok || await answer.text() !== known)) {
          location.reload();
          return;
        }
        lost = 0;
      } catch {
        // A browser drops its requests when a network comes or goes, even those to its own machine. Without an answer for longer, the
        // program has ended.
        lost += 1;
        if (lost > 20) { return; }
      }
      setTimeout(ask, 500);
    };
    setTimeout(ask, 300);
  }

  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener('click', async () => {
      const source = find(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.value);
        button.textContent = 'Copied';
      } catch {
        source.select();
        button.textContent = 'Selected: press Ctrl-C';
      }
      setTimeout(() => { button.textContent = words; }, 2000);
    });
  }

  const form = find('upload');
  if (!form) { return; }
  const input = find('files');
  const bar = find('progress');
  const status = find('status');
  find('send').hidden = true;

  const problem = (file, words) => {
    const item = document.createElement('li');
    item.textContent = `${file.name}: ${words}`;
    find('problems').append(item);
  };

  // One request a file: then each has its own progress, and a bad one costs itself.
  const send = (file) => new Promise((done) => {
    if (file.size > Number(form.dataset.max)) {
      problem(file, 'larger than the limit');
      done(null);
      return;
    }
    const request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) { bar.value = event.loaded / event.total; }
    });
    request.addEventListener('load', () => {
      if (request.status < 400) {
        done(request.responseURL);
        return;
      }
      const answer = new DOMParser().parseFromString(request.responseText, 'text/html').getElementById('message');
      problem(file, answer ? answer.textContent : `refused (${request.status})`);
      done(null);
    });
    request.addEventListener('error', () => {
      problem(file, 'the connection broke off');
      done(null);
    });
    const data = new FormData();
    data.append('bundle', file);
    request.send(data);
  });

  const take = async (files) => {
    if (!files.length || document.body.dataset.busy) { return; }
    document.body.dataset.busy = 'yes';
    find('problems').replaceChildren();
    bar.hidden = false;
    const taken = [];
    for (const [at, file] of files.entries()) {
      bar.value = 0;
      status.textContent = `Reading in ${file.name} (${at + 1} of ${files.length})`;
      const address = await send(file);
      if (address) { taken.push(address); }
    }
    bar.hidden = true;
    input.value = '';
    delete document.body.dataset.busy;
    if (taken.length === files.length) {
      status.textContent = '';
      location.assign(taken.length === 1 ? taken[0] : '/');
    } else {
      status.textContent = `${taken.length} of ${files.length} taken`;
    }
  };

  input.addEventListener('change', () => take([...input.files]));
  // The whole window is the target: a file dropped beside the box must not replace the page.
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    form.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) { form.classList.remove('over'); }
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    form.classList.remove('over');
    take([...event.dataTransfer.files]);
  });
})();
