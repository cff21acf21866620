using Web.Api;

namespace Web.Doctor;

/// <summary>Asks how the database is.</summary>
public sealed class DoctorClient(HttpClient http, Visit? visit = null)
{
    /// <param name="fresh">Examine now; else the answer may be five minutes old.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<DoctorReport>> FindAsync(bool fresh, CancellationToken ct) => http.SendAsync<DoctorReport>(
        visit, "examine", new(HttpMethod.Get, fresh ? "/doctor?fresh=true" : "/doctor"), ct);
}
