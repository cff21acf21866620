using MigrationService;

var arguments = FleetCommands.Root().Parse(args);
// A run ends after the groups in hand, which may have a long migration; a second signal ends it at once.
var result = await arguments.InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromHours(1) });
// The parser's own code for a wrong argument is 1, which says here that customers failed.
return arguments.Errors.Count > 0 ? (int)ExitCode.Usage : result;
