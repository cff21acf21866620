return await MigrationService.CustomerJob.RunAsync(args);
