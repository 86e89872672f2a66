//! Which end to end stories are told: some always, of the others a third by turns, some only when everything is.

/// How often a story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// In every run: whatever guards data, and what users do first.
    Always,
    /// In one run of three.
    ByTurns,
    /// In long runs only.
    Soak,
}

impl Tier {
    /// Its name in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::ByTurns => "by turns",
            Self::Soak => "soak",
        }
    }
}

/// One story: what happens is `tell`.
#[derive(Debug, Clone, Copy)]
pub struct Story<F> {
    /// Its name, of words.
    pub name: &'static str,
    /// How often it is told.
    pub tier: Tier,
    /// Whether no other story may be told meanwhile: it looks at the whole host, changes it, or needs all of it.
    pub alone: bool,
    /// What happens.
    pub tell: F,
}

impl<F: Copy> Story<F> {
    /// A story that is told in every run.
    pub const fn always(name: &'static str, tell: F) -> Self {
        Self { name, tier: Tier::Always, alone: false, tell }
    }

    /// A story that is told in one run of three. Never one that guards data.
    pub const fn by_turns(name: &'static str, tell: F) -> Self {
        Self { name, tier: Tier::ByTurns, alone: false, tell }
    }

    /// A story that is told in long runs only.
    pub const fn soak(name: &'static str, tell: F) -> Self {
        Self { name, tier: Tier::Soak, alone: false, tell }
    }

    /// The same, while no other story is told.
    #[must_use]
    pub const fn alone(self) -> Self {
        Self { alone: true, ..self }
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// What is always told, and of the rest the third that this number names.
    Turn(u64),
    /// Everything.
    All,
    /// Stories whose names contain one of these.
    Named(Vec<String>),
}

/// How many runs it takes until every story has had its turn.
const TURNS: u64 = 3;

/// The wanted stories, in their order.
pub fn pick<'a, F>(stories: &'a [Story<F>], selection: &Selection) -> Vec<&'a Story<F>> {
    let mut place = 0;
    let mut picked = Vec::new();
    for story in stories {
        place += u64::from(story.tier == Tier::ByTurns);
        let is_wanted = match (selection, story.tier) {
            (Selection::All, _) | (Selection::Turn(_), Tier::Always) => true,
            (Selection::Turn(number), Tier::ByTurns) => place % TURNS == number % TURNS,
            (Selection::Turn(_), Tier::Soak) => false,
            (Selection::Named(names), _) => names.iter().any(|part| story.name.contains(part.as_str())),
        };
        if is_wanted {
            picked.push(story);
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const STORIES: [Story<()>; 8] = [
        Story::always("data", ()),
        Story::by_turns("first", ()),
        Story::by_turns("second", ()).alone(),
        Story::soak("long", ()),
        Story::by_turns("third", ()),
        Story::always("lost data", ()).alone(),
        Story::by_turns("fourth", ()),
        Story::by_turns("fifth", ()),
    ];

    fn names(selection: &Selection) -> Vec<&'static str> {
        pick(&STORIES, selection).into_iter().map(|story| story.name).collect()
    }

    #[test]
    fn what_guards_data_is_in_every_run_and_the_rest_has_its_turn_within_three() {
        for seed in [0, 7, u64::MAX - TURNS] {
            let mut seen = BTreeSet::new();
            for turn in seed..seed + TURNS {
                let told = names(&Selection::Turn(turn));
                assert!(told.contains(&"data") && told.contains(&"lost data") && !told.contains(&"long"), "{told:?}");
                assert!((3..=4).contains(&told.len()), "a third of the rest: {told:?}");
                seen.extend(told);
            }
            assert_eq!(seen.len(), STORIES.len() - 1, "{seen:?}");
        }
    }

    #[test]
    fn a_number_names_the_same_stories_again() {
        assert_eq!(names(&Selection::Turn(4)), names(&Selection::Turn(4)));
        assert_eq!(names(&Selection::Turn(4)), names(&Selection::Turn(1)));
        assert_ne!(names(&Selection::Turn(4)), names(&Selection::Turn(5)));
    }

    #[test]
    fn names_pick_stories_of_every_tier_and_all_is_all() {
        assert_eq!(names(&Selection::Named(vec!["long".to_owned(), "fi".to_owned()])), ["first", "long", "fifth"]);
        assert!(names(&Selection::Named(vec!["nobody".to_owned()])).is_empty());
        assert_eq!(names(&Selection::All).len(), STORIES.len());
    }
}
