// Builds the page into dist/. `npm run dev` serves it with reloads, in front of `make view` on port 3000.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env["VIEW_SERVER"] ?? "http://127.0.0.1:3000";
// With its own address as origin: it refuses those of other pages.
const proxied = { target: server, changeOrigin: true, headers: { origin: server } };

export default defineConfig({
  plugins: [react()],
  // Perses' packages expect Node's name of the global object.
  define: { global: "globalThis" },
  build: { chunkSizeWarningLimit: 10_000 },
  resolve: { dedupe: ["echarts", "react", "react-dom", "react-router-dom", "@tanstack/react-query"] },
  server: { proxy: { "/api": proxied, "/boards": proxied } },
});
