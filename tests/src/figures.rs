//! What the operators' door says at `/metrics`.

use crate::house::House;

/// The figures of one moment (Prometheus text format, version 0.0.4).
#[derive(Clone, Debug)]
pub struct Figures(String);

impl Figures {
    /// The figures of a house's service.
    pub async fn of(house: &House) -> Self {
        let answer = house.get_ops("/metrics").await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        Self(answer.text())
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The sum of the series of that name that have all of these labels; `None` where there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let series = self.0.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, of) = series.split_once('{').unwrap_or((series, ""));
            let has_all = labels.iter().all(|label| of.contains(label));
            (found == name && has_all).then(|| value.parse::<f64>().expect("a number"))
        });
        series.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// The same as a whole number; 0 where there is none.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let sum = self.sum(name, labels).unwrap_or(0.0);
        format!("{sum:.0}").parse().expect("a number that is not negative")
    }
}
