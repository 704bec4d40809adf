// Light or dark: as the system says, until a person chooses.
import { createContext, useContext, useEffect, useMemo, useState, type ReactElement, type ReactNode } from "react";
import { CssBaseline, ThemeProvider, useMediaQuery, type PaletteMode } from "@mui/material";
import { ChartsProvider, generateChartsTheme, getTheme } from "@perses-dev/components";

const KEY = "theme";
const AXES = { timeAxis: { splitNumber: 4 } };
const Mode = createContext<{ mode: PaletteMode; toggle: () => void }>({ mode: "light", toggle: () => {} });
export const useMode = () => useContext(Mode);

export function Themed({ children }: { children: ReactNode }): ReactElement {
  const system = useMediaQuery("(prefers-color-scheme: dark)", { noSsr: true }) ? "dark" : "light";
  const [chosen, choose] = useState(() => localStorage.getItem(KEY) as PaletteMode | null);
  const mode = chosen ?? system;
  useEffect(() => {
    if (chosen) localStorage.setItem(KEY, chosen);
  }, [chosen]);
  const theme = useMemo(() => getTheme(mode), [mode]);
  const charts = useMemo(() => generateChartsTheme(theme, { echartsTheme: AXES }), [theme]);
  const value = useMemo(() => ({ mode, toggle: () => choose(mode === "dark" ? "light" : "dark") }), [mode]);
  return (
    <Mode.Provider value={value}>
      <ThemeProvider theme={theme}>
        <CssBaseline />
        <ChartsProvider chartsTheme={charts} enableSyncGrouping={false}>
          {children}
        </ChartsProvider>
      </ThemeProvider>
    </Mode.Provider>
  );
}
