import type { ReactElement } from "react";
import { Chip } from "@mui/material";
import type { Severity, State } from "./model";

const COLOURS = { firing: "error", unknown: "error", pending: "warning", silenced: "info", inhibited: "info", inactive: "success" } as const;
const small = { height: 20, fontSize: 12 };

export const StateChip = ({ state, isQuiet }: { state: State; isQuiet: boolean }): ReactElement => (
  <Chip
    size="small"
    label={state}
    color={isQuiet ? "default" : COLOURS[state]}
    variant={state === "firing" && !isQuiet ? "filled" : "outlined"}
    sx={small}
  />
);

export const SeverityChip = ({ severity }: { severity: Severity }): ReactElement => (
  <Chip
    size="small"
    label={severity}
    variant="outlined"
    color={severity === "critical" ? "error" : severity === "warning" ? "warning" : "default"}
    sx={small}
  />
);
