"use strict";
const study = JSON.parse(document.getElementById("study").textContent);
const byId = (id) => document.getElementById(id);
const answers = [];
let shownAt = 0;

function put(id, number) {
  byId(id).hidden = number === null;
  if (number !== null) byId(id).querySelector("img").src = study.pictures[number];
}

function show() {
  const done = answers.length === study.trials.length;
  byId("pair").hidden = byId("choices").hidden = done;
  byId("end").hidden = !done;
  byId("progress").value = answers.length;
  byId("count").textContent = `${answers.length} of ${study.trials.length}`;
  byId("back").disabled = answers.length === 0;
  const trial = study.trials[answers.length];
  for (const id of ["input", "left", "right"]) put(id, trial ? trial.shown[id] : null);
  shownAt = performance.now();
}

function answer(choice) {
  const trial = study.trials[answers.length];
  if (!trial) return;
  const seconds = Math.round(performance.now() - shownAt) / 1000;
  answers.push({ image: trial.image, left: trial.left, right: trial.right, choice, seconds });
  show();
}

function back() {
  answers.pop();
  show();
}

function save() {
  const text = JSON.stringify({ study: study.id, answers }, null, 1) + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `answers-${study.id}-${Date.now()}.json`;
  link.click();
  answers.saved = answers.length;
}

for (const choice of ["left", "right", "same"]) byId(choice).addEventListener("click", () => answer(choice));
for (const button of document.querySelectorAll(".save")) button.addEventListener("click", save);
byId("back").addEventListener("click", back);

const keys = { ArrowLeft: "left", 1: "left", ArrowRight: "right", 2: "right", ArrowDown: "same", 0: "same" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key in keys) answer(keys[event.key]);
  else if (event.key === "Backspace") back();
  else return;
  event.preventDefault();
});
addEventListener("beforeunload", (event) => {
  if (answers.length && answers.saved !== answers.length) event.preventDefault();
});
show();
