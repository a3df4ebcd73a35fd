// Starts the worker that trains, and shows what it reports. The page stays responsive: nothing is computed here.
const state = document.querySelector('#state');
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data: { step, loss, milliseconds } }) => {
  state.textContent = `step ${step}: loss ${loss.toFixed(2)}, ${milliseconds.toFixed(1)} ms a step`;
};
worker.onerror = ({ message }) => {
  state.textContent = `stopped: ${message}`;
};
