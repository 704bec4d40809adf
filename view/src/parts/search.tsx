// The form of a search. What is searched stands in the address, so that a link or Back repeats it.
import { useState, type FormEvent, type ReactElement } from "react";
import { useNavigate, useSearchParams } from "react-router-dom";
import { useQuery } from "@tanstack/react-query";
import { Autocomplete, Button, MenuItem, Stack, TextField } from "@mui/material";
import { useTimeRange } from "@perses-dev/plugin-system";
import { sql } from "../api";
import { fromAddress, LEVELS, toAddress, traceIn, type Filters } from "../logfire/filters";
import { CHOICES } from "../logfire/search";
import { asText } from "../logfire/values";

export type Field = "route" | "status" | "min" | "max" | "text" | "level" | "trace" | "sort";
const CODES = ["ok", "error", "2xx", "4xx", "5xx", "404", "422", "500", "503"];

export function Search({ fields }: { fields: readonly Field[] }): ReactElement {
  const [here] = useSearchParams();
  const filters = fromAddress(here);
  // A new address is a new form.
  return <Form key={JSON.stringify(filters)} filters={filters} fields={fields} />;
}

function Form({ filters, fields }: { filters: Filters; fields: readonly Field[] }): ReactElement {
  const [here, setHere] = useSearchParams();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(filters);
  const choices = useChoices();
  const set = (change: Partial<Filters>): void => setDraft((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const id = traceIn(draft.text);
    if (id) navigate(`/traces/${id}`);
    else setHere(toAddress(draft, here));
  };
  const text = (field: Field, label: string, width: number, more = {}): ReactElement | false =>
    fields.includes(field) && (
      <TextField label={label} size="small" sx={{ width }} value={draft[field]} onChange={({ target }) => set({ [field]: target.value })} {...more} />
    );
  const choice = (field: Field, label: string, width: number, options: string[]): ReactElement | false =>
    fields.includes(field) && (
      <Autocomplete
        freeSolo size="small" sx={{ width }} options={options} inputValue={draft[field]}
        onInputChange={(_, value) => set({ [field]: value })} renderInput={(props) => <TextField {...props} label={label} />}
        slotProps={{ popper: { style: { width: "fit-content", minWidth: width } } }}
      />
    );
  return (
    <Stack component="form" role="search" onSubmit={submit} direction="row" sx={{ gap: 1, flexWrap: "wrap", alignItems: "flex-start" }}>
      <Autocomplete
        multiple freeSolo autoSelect size="small" limitTags={2} sx={{ width: fields.includes("route") ? 320 : 230 }} options={choices.jobs} value={draft.jobs}
        onChange={(_, jobs) => set({ jobs })} renderInput={(props) => <TextField {...props} label="Services" />}
      />
      {choice("route", "Route", 250, choices.routes)}
      {choice("status", "Status", 120, CODES)}
      {text("level", "Level", 170, chosenOf(levels))}
      {text("trace", "Trace id", 270)}
      {text("text", fields.includes("trace") ? "Text" : "Text or trace id", 160, { sx: { flex: fields.includes("trace") ? "1 1 150px" : "1 1 300px", maxWidth: 500 } })}
      {text("min", "At least, ms", 120, milliseconds)}
      {text("max", "At most, ms", 120, milliseconds)}
      {text("sort", "Order", 120, chosenOf(orders))}
      <Button type="submit" variant="contained" sx={{ height: 37 }}>
        Search
      </Button>
      <Button sx={{ height: 37 }} onClick={() => setHere(toAddress(fromAddress(new URLSearchParams()), here))}>Clear</Button>
    </Stack>
  );
}

const item = (value: string, title: string): ReactElement => (
  <MenuItem key={value} value={value}>
    {title}
  </MenuItem>
);
const levels = [item("", "all"), ...Object.keys(LEVELS).map((level) => item(level, level === "fatal" ? level : `${level} and above`))];
const chosenOf = (children: ReactElement[]): object => ({
  select: true,
  children,
  slotProps: { select: { displayEmpty: true }, inputLabel: { shrink: true } },
});
const milliseconds = { type: "number", slotProps: { htmlInput: { min: 0, step: "any" } } };
const orders = [item("", "newest"), item("slowest", "slowest")];

function useChoices(): { jobs: string[]; routes: string[] } {
  const range = useTimeRange().absoluteTimeRange;
  const query = useQuery({
    queryKey: ["choices", +range.start, +range.end],
    queryFn: () => sql(CHOICES, range),
    keepPreviousData: true,
  });
  const rows = query.data ?? [];
  const unique = (texts: string[]): string[] => [...new Set(texts.filter(Boolean))].sort();
  return {
    jobs: unique(rows.map((row) => asText(row["job"]))),
    routes: unique(rows.filter((row) => row["http_route"]).map((row) => `${asText(row["http_method"])} ${asText(row["http_route"])}`)),
  };
}
