// A program that uses what openapi-typescript makes of the document: it has to compile.
import type { components, paths } from "./client";

type Schemas = components["schemas"];

export const invoice: Schemas["NewInvoice"] = {
  contact: { name: "Ada Moreau" },
  currency: "EUR",
  issuedOn: "2026-11-23",
  dueOn: "2026-12-23",
  lines: [{ description: "Consulting", quantity: 2.5, unitPrice: 120 }],
};

type Page = paths["/invoices"]["get"]["responses"]["200"]["content"]["application/json"];

export function owed(page: Page): number {
  return page.items.filter((one) => one.status !== "paid").reduce((sum, one) => sum + one.total, 0);
}

export function words(problem: Schemas["ProblemDetails"]): string {
  const fields = Object.entries(problem.errors ?? {}).map(([field, errors]) => `${field}: ${errors.join(", ")}`);
  return [problem.title, ...fields, problem.traceId].join("\n");
}

// @ts-expect-error A number is no text.
export const wrong: Schemas["NewInvoiceLine"] = { description: "x", quantity: "1", unitPrice: 1 };
