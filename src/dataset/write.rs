//! Rows into tables, tables into Parquet.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use polars::chunked_array::builder::get_list_builder;
use polars::prelude::*;
use polars_parquet::write::schema_to_metadata_key;

use crate::triage::flat::{BundleRow, EvidenceRow, FindingRow, NotCollected};

/// A column of one table, made from all its rows.
type Made = PolarsResult<Column>;

/// Writes a table as `FOLDER/PART.parquet`, beside its place and renamed.
pub fn table(folder: &Path, part: &str, frame: PolarsResult<DataFrame>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // Another shard may be completing the same part in this moment.
    let beside = folder.join(format!(".{part}.{}.tmp", std::process::id()));
    let mut file = BufWriter::new(File::create(&beside)?);
    let mut frame = frame.map_err(io::Error::other)?;
    // Polars would describe text as string views, which pandas cannot read inside lists.
    let hint = schema_to_metadata_key(&frame.schema().to_arrow(CompatLevel::oldest()));
    ParquetWriter::new(&mut file)
        .with_key_value_metadata(Some(KeyValueMetadata::Static(vec![hint])))
        .with_compression(ParquetCompression::Zstd(None))
        .finish(&mut frame)
        .map_err(io::Error::other)?;
    file.flush()?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(beside, folder.join(format!("{part}.parquet")))
}

/// The table `bundles`.
pub fn bundles(rows: Vec<BundleRow>) -> PolarsResult<DataFrame> {
    let rows = rows.as_slice();
    let columns: [Made; 24] = [
        text("bundle_id", rows, |row| Some(&row.bundle_id)),
        text("path", rows, |row| Some(&row.path)),
        text("sha256", rows, |row| row.sha256.as_deref()),
        long("bytes", rows, |row| row.bytes),
        text("outcome", rows, |row| row.outcome.as_deref()),
        text("root_cause", rows, |row| row.root_cause.as_deref()),
        texts("root_causes", rows, |row| &row.root_causes),
        text("os_product", rows, |row| row.os_product.as_deref()),
        int("os_build", rows, |row| row.os_build),
        int("os_ubr", rows, |row| row.os_ubr),
        text("office_version", rows, |row| row.office_version.as_deref()),
        texts("office_products", rows, |row| &row.office_products),
        text("computer", rows, |row| row.computer.as_deref()),
        text("site", rows, |row| row.site.as_deref()),
        text("proxy_host", rows, |row| row.proxy_host.as_deref()),
        time("collected_at", rows, |row| row.collected_at.as_deref()),
        time("analyzed_at", rows, |row| row.analyzed_at.as_deref()),
        int("artifacts_read", rows, |row| Some(row.artifacts_read)),
        int("artifacts_unreadable", rows, |row| Some(row.artifacts_unreadable)),
        text("status", rows, |row| Some(&row.status)),
        text("error", rows, |row| row.error.as_deref()),
        long("duration_ms", rows, |row| Some(row.duration_ms)),
        text("tool_version", rows, |row| Some(&row.tool_version)),
        structs("not_collected", rows, not_collected_kind(), |row| not_collected(&row.not_collected)),
    ];
    frame(rows.len(), columns)
}

/// The table `findings`.
pub fn findings(rows: Vec<FindingRow>) -> PolarsResult<DataFrame> {
    let rows = rows.as_slice();
    let columns: [Made; 9] = [
        text("bundle_id", rows, |row| Some(&row.bundle_id)),
        text("check", rows, |row| Some(&row.check)),
        text("layer", rows, |row| Some(&row.layer)),
        text("status", rows, |row| Some(&row.status)),
        text("confidence", rows, |row| row.confidence.as_deref()),
        Ok(BooleanChunked::from_iter_values("is_root".into(), rows.iter().map(|row| row.is_root))
            .into_column()),
        texts("caused_by", rows, |row| &row.caused_by),
        text("summary", rows, |row| Some(&row.summary)),
        structs("evidence", rows, evidence_kind(), |row| evidence(&row.evidence)),
    ];
    frame(rows.len(), columns)
}

fn frame<const N: usize>(height: usize, columns: [Made; N]) -> PolarsResult<DataFrame> {
    DataFrame::new(height, columns.into_iter().collect::<PolarsResult<Vec<Column>>>()?)
}

fn text<'r, R>(name: &str, rows: &'r [R], field: impl Fn(&'r R) -> Option<&'r str>) -> Made {
    Ok(StringChunked::from_iter_options(name.into(), rows.iter().map(field)).into_column())
}

fn int<R>(name: &str, rows: &[R], field: impl Fn(&R) -> Option<i32>) -> Made {
    Ok(Int32Chunked::from_iter_options(name.into(), rows.iter().map(field)).into_column())
}

fn long<R>(name: &str, rows: &[R], field: impl Fn(&R) -> Option<i64>) -> Made {
    Ok(Int64Chunked::from_iter_options(name.into(), rows.iter().map(field)).into_column())
}

/// Microseconds since 1970 in UTC. A text that is no time becomes null.
fn micros(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

fn time<'r, R>(name: &str, rows: &'r [R], field: impl Fn(&'r R) -> Option<&'r str>) -> Made {
    let ticks =
        Int64Chunked::from_iter_options(name.into(), rows.iter().map(|row| field(row).and_then(micros)));
    Ok(ticks.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series().into_column())
}

fn texts<'r, R>(name: &str, rows: &'r [R], field: impl Fn(&'r R) -> &'r [String]) -> Made {
    let mut builder = ListStringChunkedBuilder::new(name.into(), rows.len(), rows.len());
    for row in rows {
        builder.append_values_iter(field(row).iter().map(String::as_str));
    }
    Ok(builder.finish().into_column())
}

/// A list of structs of one type.
fn structs<R>(name: &str, rows: &[R], kind: DataType, items: impl Fn(&R) -> PolarsResult<Series>) -> Made {
    let mut builder = get_list_builder(&kind, rows.len(), rows.len(), name.into());
    for row in rows {
        builder.append_series(&items(row)?)?;
    }
    Ok(builder.finish().into_column())
}

fn struct_of(rows: usize, columns: &[Column]) -> PolarsResult<Series> {
    Ok(StructChunked::from_columns("item".into(), rows, columns)?.into_series())
}

fn kind(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(fields.iter().map(|(name, kind)| Field::new((*name).into(), kind.clone())).collect())
}

fn not_collected_kind() -> DataType {
    kind(&[("what", DataType::String), ("collect", DataType::String), ("checks", DataType::Int32)])
}

fn not_collected(items: &[NotCollected]) -> PolarsResult<Series> {
    let columns = [
        text("what", items, |item| Some(&item.what))?,
        text("collect", items, |item| Some(&item.collect))?,
        int("checks", items, |item| Some(item.checks))?,
    ];
    struct_of(items.len(), &columns)
}

fn evidence_kind() -> DataType {
    let time = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let words = ["artifact", "locator", "observed", "expected"].map(|name| (name, DataType::String));
    kind(&[&words[..], &[("time", time)]].concat())
}

fn evidence(items: &[EvidenceRow]) -> PolarsResult<Series> {
    let columns = [
        text("artifact", items, |item| Some(&item.artifact))?,
        text("locator", items, |item| Some(&item.locator))?,
        text("observed", items, |item| Some(&item.observed))?,
        text("expected", items, |item| item.expected.as_deref())?,
        time("time", items, |item| item.time.as_deref())?,
    ];
    struct_of(items.len(), &columns)
}
