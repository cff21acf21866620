using Microsoft.EntityFrameworkCore;

namespace Tests.Integration.Queries;

/// <summary>
/// A model with what EF reads by code of its own: a hierarchy, owned rows, JSON documents with lists in them, complex
/// values, references and lists in both directions, converted values.
/// </summary>
internal sealed class Library(DbContextOptions<Library> options, string schema) : DbContext(options)
{
    public DbSet<Shelf> Shelves => Set<Shelf>();

    public DbSet<Item> Items => Set<Item>();

    public DbSet<Topic> Topics => Set<Topic>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(schema);
        modelBuilder.Entity<Shelf>().OwnsOne(shelf => shelf.Place);
        modelBuilder.Entity<Shelf>().OwnsMany(shelf => shelf.Labels);
        modelBuilder.Entity<Item>().HasDiscriminator<string>("kind").HasValue<Book>("book").HasValue<Map>("map");
        modelBuilder.Entity<Item>().HasMany(item => item.Topics).WithMany(topic => topic.Items);
        modelBuilder.Entity<Item>().ComplexProperty(item => item.Size);
        modelBuilder.Entity<Item>().Property(item => item.Condition).HasConversion<string>();
        modelBuilder.Entity<Book>().OwnsOne(book => book.Contents, contents =>
        {
            contents.ToJson();
            contents.OwnsMany(c => c.Chapters, chapters => chapters.OwnsOne(chapter => chapter.Opening));
        });
    }

    /// <summary>Some of everything, and some that lack it.</summary>
    public static IEnumerable<Shelf> Filled() => Enumerable.Range(1, 6).Select(number => new Shelf
    {
        Id = number,
        Name = $"shelf {number}",
        Place = number % 3 == 0 ? null : new() { Room = $"room {number}", Floor = number },
        Labels = [.. Enumerable.Range(0, number % 3).Select(label => new Label { Text = $"label {label}" })],
        Items =
        [
            .. Enumerable.Range(1, number - 1).Select(book => new Book
            {
                Id = number * 100 + book,
                Title = $"book {book}",
                Condition = (Condition)(book % 3),
                Size = new() { Height = book, Width = number },
                Tags = [.. Enumerable.Range(0, book % 3).Select(tag => $"tag {tag}")],
                Contents = book % 4 == 0
                    ? null
                    : new()
                    {
                        Language = "en",
                        Chapters = [.. Enumerable.Range(0, book)
                            .Select(chapter =>
                                new Chapter { Pages = chapter,
                                    Opening = chapter % 2 == 0 ? null : new() { Words = $"words {chapter}" } })],
                    },
            }),
            new Map { Id = number * 100 + 50, Title = "map", Scale = number * 1000,
                Size = new() { Height = 1, Width = 2 } },
        ],
    });
}

internal sealed class Shelf
{
    public int Id { get; init; }

    public required string Name { get; set; }

    public Place? Place { get; init; }

    public List<Label> Labels { get; init; } = [];

    public List<Item> Items { get; init; } = [];
}

internal sealed class Place
{
    public required string Room { get; init; }

    public int Floor { get; init; }
}

internal sealed class Label
{
    public required string Text { get; init; }
}

internal abstract class Item
{
    public int Id { get; init; }

    public required string Title { get; init; }

    public Condition Condition { get; init; }

    public required Size Size { get; init; }

    public List<string> Tags { get; init; } = [];

    public int ShelfId { get; init; }

    public Shelf? Shelf { get; init; }

    public List<Topic> Topics { get; init; } = [];
}

internal sealed class Book : Item
{
    public Contents? Contents { get; init; }
}

internal sealed class Map : Item
{
    public int Scale { get; init; }
}

internal sealed class Topic
{
    public int Id { get; init; }

    public required string Name { get; init; }

    public List<Item> Items { get; init; } = [];
}

internal sealed class Size
{
    public int Height { get; init; }

    public int Width { get; init; }
}

internal sealed class Contents
{
    public required string Language { get; init; }

    public List<Chapter> Chapters { get; init; } = [];
}

internal sealed class Chapter
{
    public int Pages { get; init; }

    public Opening? Opening { get; init; }
}

internal sealed class Opening
{
    public required string Words { get; init; }
}

internal enum Condition
{
    New,
    Read,
    Worn,
}
