/** The ids of Temporal schedules and workflows. A workflow's id is what lets only one of its kind run at a time. */
export const scheduleIds = {
  backup: (database: string): string => `backup/${database}`,
  drill: (database: string): string => `drill/${database}`,
  retention: "retention",
  sweep: "sweep",
  repair: "repair",
  renewal: "renewal",
} as const;

export const isScheduleId = (id: string): boolean => /^(?:backup|drill)\/[a-z0-9-]+$|^(?:retention|sweep|repair|renewal)$/.test(id);
