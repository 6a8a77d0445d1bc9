// The monitoring histograms of a run as charts, which take new contents while the run goes on.
(() => {
  "use strict";
  const holder = document.querySelector("[data-histograms]");
  if (!holder || typeof uPlot === "undefined") return;
  const KINDS = [
    ["rate", "Hits per TF", (bin) => (bin === 0 ? 0 : 2 ** (bin - 1))],
    ["time", "Time in the TF (µs)", (bin, content) => (bin * 665.6) / content.time.length],
    ["amplitude", "Amplitude (ADC)", (bin, content) => (bin * content.amplitude_stop) / content.amplitude.length],
    ["occupancy", "Occupancy by cell", (bin, content) => (content.cells ? (bin * content.cells) / content.occupancy.length : bin)],
  ];
  const charts = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (value) => (Math.abs(value) >= 1000 ? Intl.NumberFormat("en-GB", { notation: "compact" }).format(value) : String(Number(value.toPrecision(3))));

  const data = (kind, content) => {
    const counts = content[kind[0]];
    const x = counts.map((_, bin) => (kind[0] === "rate" ? bin : kind[2](bin, content)));
    return [x, counts];
  };

  const make = (figure, kind, content) => {
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), size: 4 }, font: "11px system-ui" };
    const rate = kind[0] === "rate";
    return new uPlot(
      {
        width: Math.max(200, figure.clientWidth),
        height: 160,
        legend: { show: false },
        cursor: { drag: { x: true, y: false } },
        scales: { x: { time: false }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
        axes: [
          { ...axis, size: 28, values: (_, values) => values.map((value) => (rate ? short(kind[2](value)) : short(value))) },
          { ...axis, size: 48, values: (_, values) => values.map(short) },
        ],
        series: [{}, { label: kind[1], stroke: colour("--series-1"), fill: `${colour("--series-1")}33`, width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }],
      },
      data(kind, content),
      figure,
    );
  };

  const group = (subsystem, first) => {
    const details = document.createElement("details");
    details.open = first;
    const summary = document.createElement("summary");
    const grid = document.createElement("div");
    grid.className = "chart-grid";
    details.append(summary, grid);
    holder.append(details);
    const made = { details, summary, plots: [], content: null };
    const draw = () => {
      if (!details.open || made.plots.length) return;
      for (const kind of KINDS) {
        const figure = document.createElement("figure");
        const caption = document.createElement("figcaption");
        caption.textContent = kind[1];
        figure.append(caption);
        grid.append(figure);
        figure.setAttribute("role", "img");
        figure.setAttribute("aria-label", `${subsystem}: ${kind[1]}`);
        made.plots.push([kind, make(figure, kind, made.content)]);
      }
    };
    details.addEventListener("toggle", draw);
    made.draw = draw;
    return made;
  };

  const show = (found) => {
    if (!found.subsystems.length) return;
    if (!charts.size) holder.replaceChildren();
    for (const { subsystem, content } of found.subsystems) {
      if (!charts.has(subsystem)) charts.set(subsystem, group(subsystem, charts.size === 0));
      const chart = charts.get(subsystem);
      chart.content = content;
      chart.summary.textContent = `${subsystem}: ${content.hits.toLocaleString("en-GB")} hits in ${content.tf_count.toLocaleString("en-GB")} TFs`;
      for (const [kind, plot] of chart.plots) plot.setData(data(kind, content));
      chart.draw();
    }
  };

  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(holder.dataset.histograms);
      if (!answer.ok) return;
      const found = await answer.json();
      if (!found.subsystems.length && !charts.size) holder.firstElementChild.textContent = "No TF was sampled yet.";
      show(found);
    } catch {
      // The next look may succeed; what is drawn stays.
    }
  };

  window.addEventListener("resize", () => {
    for (const { plots } of charts.values()) for (const [, plot] of plots) plot.setSize({ width: Math.max(200, plot.root.parentElement.clientWidth), height: 160 });
  });
  look();
  if (holder.dataset.every) setInterval(look, Number(holder.dataset.every));
})();
