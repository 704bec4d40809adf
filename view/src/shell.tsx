// What every page has: the list of pages on the left, and links that stay inside the page.
import type { MouseEvent, ReactElement, ReactNode } from "react";
import { NavLink, useLocation, useNavigate } from "react-router-dom";
import { Box, Button, Divider, Link, Typography } from "@mui/material";
import { ErrorAlert, ErrorBoundary } from "@perses-dev/components";
import { useBoards, useConfig, type BoardEntry } from "./api";
import { fromGrafana, isGrafanas, withRelativeRange } from "./grafana";
import { useMode } from "./theme";

const WIDTH = 196;
const VIEWS = [
  ["/", "Home"],
  ["/traces", "Traces"],
  ["/logs", "Logs"],
  ["/alerts", "Alerts"],
  ["/explore", "Explore"],
] as const;

export function Shell({ children }: { children: ReactNode }): ReactElement {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  // Perses' links are plain anchors, which would load the page anew.
  const stay = (event: MouseEvent): void => {
    const anchor = (event.target as Element).closest("a");
    const href = anchor?.getAttribute("href");
    if (!href?.startsWith("/") || href.startsWith("/api/")) return;
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(translated(withRelativeRange(href, new URLSearchParams(search))));
  };
  return (
    <Box onClick={stay} sx={{ display: "flex", height: "100vh" }}>
      <Navigation />
      <Box component="main" sx={{ flex: 1, minWidth: 0, height: "100%", overflow: "auto" }}>
        <ErrorBoundary key={pathname} FallbackComponent={ErrorAlert}>
          {children}
        </ErrorBoundary>
      </Box>
    </Box>
  );
}

/** Returns a link with its parameters in Perses' form. */
function translated(href: string): string {
  const url = new URL(href, window.location.origin);
  const query = isGrafanas(url.searchParams) ? fromGrafana(url.searchParams) : url.searchParams;
  return `${url.pathname}${query.size ? `?${query}` : ""}${url.hash}`;
}

function Navigation(): ReactElement {
  const boards = useBoards().data ?? [];
  const config = useConfig().data;
  const { mode, toggle } = useMode();
  return (
    <Box
      component="nav"
      aria-label="Pages"
      sx={{ width: WIDTH, flexShrink: 0, borderRight: 1, borderColor: "divider", overflowY: "auto", py: 1.5, display: "flex", flexDirection: "column" }}
    >
      <Typography variant="h3" component="p" sx={{ px: 2, pb: 1 }}>
        Agentical
      </Typography>
      {VIEWS.map(([to, title]) => (
        <Entry key={to} to={to} title={title} />
      ))}
      <Section title="Prometheus" boards={boards.filter((board) => board.backend === "prometheus")} />
      <Section title="Logfire" boards={boards.filter((board) => board.backend === "logfire")} />
      <Box sx={{ flex: 1 }} />
      <Divider sx={{ my: 1 }} />
      <Box sx={{ px: 2 }}>
        <Button size="small" onClick={toggle} sx={{ px: 0 }}>
          {mode === "dark" ? "Light theme" : "Dark theme"}
        </Button>
        <Typography variant="caption" component="p" color="text.secondary">
          Dashboards drawn by <Link href="https://perses.dev" target="_blank" rel="noreferrer">Perses</Link>, not Grafana.
          {config?.logfire_is_stand_in && " Logfire is the local stand-in."}
        </Typography>
      </Box>
    </Box>
  );
}

function Section({ title, boards }: { title: string; boards: BoardEntry[] }): ReactElement | null {
  const kept = new URLSearchParams(useLocation().search);
  if (!boards.length) return null;
  const query = new URLSearchParams([...kept].filter(([name]) => /^(var-(job|instance)|start|end)$/.test(name)));
  return (
    <>
      <Typography variant="overline" component="p" color="text.secondary" sx={{ px: 2, pt: 1.5, lineHeight: 2 }}>
        {title}
      </Typography>
      {boards.map((board) => (
        <Entry key={board.uid} to={`/d/${board.uid}${query.size ? `?${query}` : ""}`} title={board.title} />
      ))}
    </>
  );
}

function Entry({ to, title }: { to: string; title: string }): ReactElement {
  return (
    <Link
      component={NavLink}
      to={to}
      end={to === "/"}
      underline="none"
      color="text.primary"
      sx={{
        px: 2, py: 0.5, fontSize: 13, "&:hover": { bgcolor: "action.hover" },
        "&.active": { bgcolor: "action.selected", fontWeight: 600 },
      }}
    >
      {title}
    </Link>
  );
}
