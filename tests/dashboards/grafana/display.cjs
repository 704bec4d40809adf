// Reads [{config, value}, ...] from stdin and prints [{text, color}, ...] as Grafana's own code shows a
// value with a panel's field configuration. The colour is that of the threshold, by the name in the JSON.
const { readFileSync } = require("node:fs");
const { FieldType, createTheme, formattedValueToString, getDisplayProcessor } = require("@grafana/data");

const theme = createTheme();

function shown({ config, value }) {
  const thresholds = { color: { mode: "thresholds" }, ...config };
  const field = { name: "value", type: FieldType.number, values: [value], config: thresholds };
  const found = getDisplayProcessor({ field, theme })(value);
  const named = config.thresholds.steps.find((step) => theme.visualization.getColorByName(step.color) === found.color);
  return { text: formattedValueToString(found), color: named?.color };
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(shown)));
