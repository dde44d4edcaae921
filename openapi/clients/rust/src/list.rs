//! Lists that come in pages, as one stream.

use std::future::Future;

use futures_util::{Stream, TryStreamExt as _, stream};

use crate::{Error, builder, types};

/// An operation whose answer is a page of items. Each such [builder] is one.
pub trait List: Clone + Send + Sync + Sized {
    /// What is listed.
    type Item: Send;

    /// The page that begins at `cursor`; the first one without it.
    fn page(self, cursor: Option<String>) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;

    /// Every item from the first page to the last, each page asked for when it is needed. `limit` is the size of a page.
    fn items(self) -> impl Stream<Item = Result<Self::Item, Error>> + Send {
        // Nothing left to ask for is `None`; the first page has no cursor.
        let pages = stream::try_unfold(Some(None), move |left: Option<Option<String>>| {
            let list = self.clone();
            async move {
                let Some(cursor) = left else { return Ok::<_, Error>(None) };
                let page = list.page(cursor).await?;
                let items = stream::iter(page.items.into_iter().map(Ok));
                Ok(Some((items, page.next_cursor.map(Some))))
            }
        });
        pages.try_flatten()
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins. `None` on the last one.
    pub next_cursor: Option<String>,
}

macro_rules! list {
    ($operation:ident of $item:ident) => {
        impl List for builder::$operation<'_> {
            type Item = types::$item;

            async fn page(self, cursor: Option<String>) -> Result<Page<Self::Item>, Error> {
                let list = match cursor {
                    Some(cursor) => self.cursor(cursor),
                    None => self,
                };
                let page = list.send().await?.into_inner();
                Ok(Page { items: page.items, next_cursor: page.next_cursor })
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/lists.rs"));
